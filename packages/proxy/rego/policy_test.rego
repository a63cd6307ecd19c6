package openshell.policy_test

import data.openshell.policy

curl := {"exact": {"/usr/bin/curl": true}, "prefixes": ["/opt/tools/"], "patterns": ["^/srv/[^/]*/run$"]}

# An endpoint as the index has it.
entry(rank, host, config) := {
	"rank": rank,
	"ports": config.ports,
	"host": host,
	"names_host": object.get(config, "names_host", false),
	"programs": object.get(config, "programs", curl),
	"match": {
		"policy_name": sprintf("policy-%d", [rank]),
		"policy_key": sprintf("key-%d", [rank]),
		"endpoint_index": 0,
		"endpoint": {"host": host, "ports": config.ports, "allowed_ips": object.get(config, "allowed_ips", [])},
	},
}

named := entry(1, "api.example.com", {"ports": [443], "names_host": true})

covering := entry(0, "*.example.com", {"ports": [443, 8443]})

anywhere := entry(2, "", {"ports": [9000], "allowed_ips": ["10.0.0.0/8", "fd00::/8"]})

index := {
	"hosts": {"api.example.com": [covering, named, anywhere]},
	"domains": {"example.com": [covering]},
	"ports": {"9000": [anywhere]},
}

asking(host, port, path) := {
	"network": {"host": host, "port": port},
	"exec": {"path": path, "ancestors": ["/bin/sh"], "cmdline_paths": ["/usr/bin/curl"]},
}

decision(question) := answer if {
	answer := policy.egress_authorization with input as question with data.egress_index as index with data.network_policies as {"p": {}}
}

test_the_first_in_rank_decides_and_all_are_listed if {
	answer := decision(asking("api.example.com", 443, "/usr/bin/curl"))
	answer.action == "allow"
	answer.matched_policy == "policy-0"
	[match.policy_key | some match in answer.matched_endpoints] == ["key-0", "key-1"]
	answer.exact_declared_endpoint_host
}

test_a_name_that_only_a_wildcard_covers_is_not_declared if {
	answer := decision(asking("www.example.com", 8443, "/opt/tools/x"))
	answer.matched_policy == "policy-0"
	not answer.exact_declared_endpoint_host
}

test_any_host_on_a_port if decision(asking("8.8.8.8", 9000, "/srv/a/run")).matched_policy == "policy-2"

test_programs_that_started_it_count if {
	question := object.union(asking("api.example.com", 443, "/bin/x"), {"exec": {"ancestors": ["/bin/sh", "/usr/bin/curl"]}})
	decision(question).action == "allow"
}

test_arguments_do_not_count if {
	answer := decision(asking("api.example.com", 443, "/bin/evil"))
	answer.action == "deny"
	answer.deny_code == "binary_not_allowed"
	answer.matched_policy == "policy-0"
}

test_denials_have_a_code_and_a_reason if {
	cases := [
		[asking("api.example.com", 80, "/usr/bin/curl"), "endpoint_not_allowed"],
		[asking("2001:db8::1", 443, "/usr/bin/curl"), "endpoint_not_allowed"],
		[asking("example.com", 443, "/usr/bin/curl"), "endpoint_not_allowed"],
		[asking("a.b.example.com", 443, "/usr/bin/curl"), "endpoint_not_allowed"],
		[asking("api.example.com", 443, "/opt/tools2/x"), "binary_not_allowed"],
		[{"network": {"host": "api.example.com", "port": 443}}, "identity_unknown"],
		[{"exec": {"path": "/usr/bin/curl", "ancestors": []}}, "rules_failed"],
		[{}, "rules_failed"],
	]
	every case in cases {
		answer := decision(case[0])
		answer.action == "deny"
		answer.deny_code == case[1]
		answer.deny_reason != ""
	}
}

test_a_denial_of_your_own if policy.deny("not now").deny_code == "rules_denied"

test_without_policies_there_is_no_network if {
	answer := policy.egress_authorization with input as asking("api.example.com", 443, "/usr/bin/curl") with data.egress_index as {} with data.network_policies as {}
	answer.deny_code == "no_policy"
}

test_the_operator_can_do_without_identity if {
	question := {"network": {"host": "api.example.com", "port": 443}}
	answer := decision(question) with data.runtime.require_binary_identity as false
	answer.action == "allow"
	nobody := {"exact": {}, "prefixes": [], "patterns": []}
	unused := {"hosts": {"api.example.com": [entry(1, "api.example.com", {"ports": [443], "programs": nobody})]}}
	curious := policy.egress_authorization with input as asking("api.example.com", 443, "/bin/x") with data.egress_index as unused with data.runtime.require_binary_identity as false
	curious.action == "allow"
	policy.could_allow_name with input as question with data.egress_index as unused with data.runtime.require_binary_identity as false
	not policy.could_allow_name with input as question with data.egress_index as unused
}

test_names_that_could_be_allowed if {
	policy.could_allow_name with input as {"network": {"host": "a.example.com"}} with data.egress_index as object.remove(index, ["ports"])
	not policy.could_allow_name with input as {"network": {"host": "example.org"}} with data.egress_index as object.remove(index, ["ports"])
	policy.could_allow_name with input as {"network": {"host": "example.org"}} with data.egress_index as index
}

test_addresses_that_could_be_allowed if {
	every address in ["10.1.2.3", "fd00::1"] {
		policy.could_allow_address with input as {"network": {"host": address, "port": 9000}} with data.egress_index as index
	}
	policy.could_allow_address with input as {"network": {"host": "10.9.9.9", "port": 22}} with data.egress_index as {"hosts": {"10.9.9.9": [entry(0, "10.9.9.9", {"ports": [22], "names_host": true})]}}
	every address in ["11.1.2.3", "fe80::1", "::ffff:10.1.2.3"] {
		not policy.could_allow_address with input as {"network": {"host": address, "port": 9000}} with data.egress_index as index
	}
}

selectors := [
	{
		"include": {"exact": {}, "names": ["^.*$"]},
		"exclude": {"exact": {"api.example.com": true}, "names": []},
		"key": "every name but one",
	},
	{
		"include": {"exact": {"api.example.com": true, "10.0.0.1": true}, "names": []},
		"exclude": {"exact": {}, "names": []},
		"key": "two hosts",
	},
]

test_middlewares_that_select_the_host if {
	expected := {
		"api.example.com": ["two hosts"],
		"www.example.com": ["every name but one"],
		"10.0.0.1": ["two hosts"],
		"10.0.0.2": [],
		"2001:db8::1": [],
	}
	every host, middlewares in expected {
		policy.middlewares == middlewares with input.network.host as host with data.egress_index.middlewares as selectors
	}
}
