# METADATA
# title: What the proxy asks
# description: |
#   The policy file decides, and nothing else. This is the module to copy and change: add conditions, or answers of your own.
package openshell.sandbox

import data.openshell.policy

egress_authorization := policy.egress_authorization

request_authorization := policy.request_authorization

could_allow_name := policy.could_allow_name

could_allow_address := policy.could_allow_address
