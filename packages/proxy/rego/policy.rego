# METADATA
# title: Connections, as the policy file means them
# description: |
#   Answers the proxy's questions about a connection from a policy: the same decisions as the built-in evaluator.
#   Rules of your own build on this package, or replace it: see README.md.
#
#   input.network.host, .port               where the connection goes; the host in lower case, without a final dot
#   input.exec.path, .ancestors             the program that asks, and those that started it, the nearest first
#   input.unidentified                      instead of input.exec: why the program is not known
#   data.egress_index                       the policy's endpoints, prepared for looking up
#   data.runtime.require_binary_identity    whether programs must be known
package openshell.policy

# METADATA
# title: May this connection be made?
# entrypoint: true
egress_authorization := {
	"action": "allow",
	"deny_reason": "",
	"matched_policy": admitting[0].match.policy_name,
	"endpoint_configs": [entry.match.endpoint | some entry in admitting],
	"matched_endpoints": [entry.match | some entry in admitting],
	"exact_declared_endpoint_host": names_host,
	"network_middlewares": middlewares,
} if {
	count(admitting) > 0
} else := denial

# METADATA
# title: Whether some program could be allowed to reach this name on some port
# description: What DNS may answer. An answer is a made-up address, so this decides what resolves and not what is reached.
# entrypoint: true
default could_allow_name := false

could_allow_name if {
	some entry in for_host
	is_usable(entry.programs)
}

could_allow_name if {
	some entries in data.egress_index.ports
	some entry in entries
	is_usable(entry.programs)
}

# METADATA
# title: Whether some program could be allowed to reach this address, given as such, on this port
# entrypoint: true
default could_allow_address := false

could_allow_address if {
	some entry in matching
	is_usable(entry.programs)
	covers_address(entry)
}

covers_address(entry) if entry.names_host

covers_address(entry) if {
	some block in entry.match.endpoint.allowed_ips
	same_family(block, input.network.host)
	net.cidr_contains(block, input.network.host)
}

# A block of IPv4 addresses has no IPv6 address in it, those that stand for IPv4 addresses included.
same_family(block, address) if contains(block, ":") == contains(address, ":")

# The endpoints for the host, in the order of their rank: the first one that matches decides. All that matches a host which
# some endpoint names was put together beforehand, and for any other host wildcards and ports are looked up.
for_host := entries if {
	entries := data.egress_index.hosts[input.network.host]
} else := [ranked[rank] | some rank in sort(object.keys(ranked))] if {
	ranked := {entry.rank: entry | some entry in array.concat(for_domain, for_port)}
}

for_domain := [entry |
	some entry in data.egress_index.domains[domain]
	glob.match(entry.host, ["."], input.network.host)
]

for_port := [entry | some entry in data.egress_index.ports[format_int(input.network.port, 10)]]

# Wildcards always end in two labels that are written out.
domain := concat(".", array.slice(labels, count(labels) - 2, count(labels))) if {
	labels := split(input.network.host, ".")
}

matching := [entry |
	some entry in for_host
	input.network.port in entry.ports
]

admitting := [entry |
	some entry in for_host
	input.network.port in entry.ports
	admits(entry.programs)
]

default names_host := false

names_host if {
	some entry in admitting
	entry.names_host
}

# The stages that see the requests to the host, in their order.
middlewares := [selector.key |
	some selector in data.egress_index.middlewares
	selects(selector.include)
	not selects(selector.exclude)
]

selects(hosts) if hosts.exact[input.network.host]

# A wildcard stands for names, and a name never ends in a number.
selects(hosts) if {
	not regex.match(`:|\.[0-9]+$`, input.network.host)
	some pattern in hosts.names
	regex.match(pattern, input.network.host)
}

# Who asks: one of the programs is enough, and arguments never count, because the workload chooses them.
programs_asking := array.concat([input.exec.path], input.exec.ancestors)

admits(programs) if {
	some path in programs_asking
	programs.exact[path]
}

admits(programs) if {
	some prefix in programs.prefixes
	some path in programs_asking
	startswith(path, prefix)
}

admits(programs) if {
	some pattern in programs.patterns
	some path in programs_asking
	regex.match(pattern, path)
}

admits(_) if {
	identity_is_optional
	not input.exec
}

admits(programs) if {
	identity_is_optional
	not lists_programs(programs)
}

is_usable(programs) if lists_programs(programs)

is_usable(_) if identity_is_optional

lists_programs(programs) if count(programs.exact) + count(programs.prefixes) + count(programs.patterns) > 0

identity_is_optional if data.runtime.require_binary_identity == false

# Why not, and what would help.
denial := refuse("rules_failed", "the question has no input.network.host and .port", "") if {
	not is_question
} else := refuse("no_policy", reason, suggestion) if {
	not has_policies
	reason := "the policy allows no network at all"
} else := refuse("endpoint_not_allowed", reason, suggestion) if {
	count(matching) == 0
	reason := sprintf("no endpoint of the policy allows %s", [place])
} else := object.union(refuse("identity_unknown", reason, remedy), {"matched_policy": nearest.policy_name}) if {
	not input.exec
	form := "\"%s\" allows %s for certain programs, and the program is not known: %s"
	reason := sprintf(form, [nearest.policy_name, place, object.get(input, "unidentified", "no input.exec")])
	remedy := "Run it where programs can be identified; only the operator can do without."
} else := object.union(refuse("binary_not_allowed", reason, remedy), {"matched_policy": nearest.policy_name}) if {
	form := "\"%s\" allows %s, but not for %s or a program that started it"
	reason := sprintf(form, [nearest.policy_name, place, input.exec.path])
	path := json.marshal(input.exec.path)
	remedy := sprintf("Add to network_policies.%s.binaries: - { path: %s }", [nearest.policy_key, path])
}

is_question if {
	is_string(input.network.host)
	is_number(input.network.port)
}

has_policies if count(data.network_policies) > 0

nearest := matching[0].match

suggestion := sprintf(
	"Add to network_policies: { endpoints: [{ host: %s, port: %d }], binaries: [{ path: %s }] }",
	[json.marshal(input.network.host), input.network.port, json.marshal(object.get(input, ["exec", "path"], "/path/to/program"))],
)

place := sprintf("[%s]:%d", [input.network.host, input.network.port]) if {
	contains(input.network.host, ":")
} else := sprintf("%s:%d", [input.network.host, input.network.port])

# METADATA
# title: A denial with its code, the reason for people and what they could do about it
refuse(code, reason, remedy) := {
	"action": "deny",
	"deny_code": code,
	"deny_reason": reason,
	"remedy": remedy,
	"matched_policy": "",
	"endpoint_configs": [],
	"matched_endpoints": [],
	"exact_declared_endpoint_host": false,
}

# METADATA
# title: A denial for a reason of your own
deny(reason) := refuse("rules_denied", reason, "")
