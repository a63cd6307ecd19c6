# METADATA
# title: Requests, as the policy file means them
# description: |
#   Answers the proxy's question about one request on a connection that was allowed: the same decisions as the built-in evaluator.
#   The first endpoint whose path it has, the most specific one, says how the request was read. Those that read alike may allow
#   its parts (operations, messages, statements), each part by itself; every one that has the path may deny.
#
#   input.request                           the request; docs/rego.md tells what is in it
#   data.egress_index                       the policy's endpoints, what they say of requests included
package openshell.policy

# METADATA
# title: May this request be made?
# entrypoint: true
request_authorization := of_connection if {
	count(inspected) == 0
} else := object.union(refuse_request("request_not_allowed", reason, remedy), by_endpoint(inspected[0])) if {
	count(for_path) == 0
	reason := sprintf("%s is for no path of the endpoints for %s", [whole, place])
	remedy := sprintf("Add an endpoint with its path to network_policies.%s.endpoints.", [inspected[0].match.policy_key])
} else := object.union(refuse_request("request_malformed", reason, remedy), by_place(authority, authority.place)) if {
	what := not_understood[0]
	reason := sprintf("%s cannot be judged as %s: %s", [whole, authority.match.endpoint.protocol, what])
	remedy := sprintf("No rule can allow it; send a request that %s can be asked about.", [authority.place])
} else := denied_by(enforced[0]) if {
	enforced := [hit |
		some hit in hits
		hit.entry.match.endpoint.enforcement == "enforce"
	]
	count(enforced) > 0
} else := not_allowed if {
	count(without) > 0
	authority.match.endpoint.enforcement == "enforce"
} else := watched(not_allowed) if {
	count(without) > 0
} else := watched(denied_by(hits[0])) if {
	count(hits) > 0
} else := permitted(last) if {
	last := allowances[count(parts) - 1]
}

# METADATA
# title: The same as a word, for rules that have no more to say
default allow_request := false

allow_request if request_authorization.action in {"allow", "audit"}

# METADATA
# title: Why not
request_deny_reason := request_authorization.reason if request_authorization.action == "deny"

# Where no endpoint is inspected, requests are as free as the connection; what cannot be read is refused all the same.
of_connection := object.union(refuse_request("request_malformed", reason, remedy), by_place(admitting[0], admitting[0].place)) if {
	count(admitting) > 0
	reason := sprintf("%s cannot be understood: %s", [whole, input.request.error])
	remedy := "No rule can allow it; send a request that can be read."
} else := permitted({"entry": admitting[0], "place": admitting[0].place}) if {
	count(admitting) > 0
} else := object.union(refuse_request("request_not_allowed", denial.deny_reason, denial.remedy), {"policy": denial.matched_policy})

# The endpoints that look into requests, for this host, port and program, and those of them that have the path.
inspected := [by_order[order] | some order in sort(object.keys(by_order))]

by_order := {entry.order: entry |
	some entry in admitting
	entry.requests
}

for_path := [entry |
	some entry in inspected
	fits(entry.requests, "path", input.request.path)
]

authority := for_path[0]

alike := [entry |
	some entry in for_path
	entry.requests.reading == authority.requests.reading
]

# What the request is made of. A request without parts is asked about all the same, as one.
content := {"about": "operation", "parts": input.request.graphql.operations} if {
	count(input.request.graphql.operations) > 0
} else := {"about": "operation", "parts": [input.request.websocket.graphql]} if {
	input.request.websocket.graphql
} else := {"about": "call", "parts": input.request.jsonrpc.messages} if {
	count(input.request.jsonrpc.messages) > 0
} else := {"about": "statement", "parts": input.request.sql.statements} if {
	count(input.request.sql.statements) > 0
} else := {"about": "request", "parts": [{}]}

parts := content.parts

# What no rule and no audit can let through: nobody could say what it does.
not_understood := [input.request.error] if {
	input.request.error
} else := [what |
	input.request.from == "client"
	some message in input.request.jsonrpc.messages
	some what in trouble(message)
]

trouble(message) := ["a JSON-RPC response from the client"] if {
	message.kind == "response"
	authority.requests.reading == "json-rpc"
} else := ["the name of the tool is not a strict one"] if {
	message.method == "tools/call"
	authority.match.endpoint.mcp.strict_tool_names
	not regex.match(`^[A-Za-z0-9_./-]{1,128}$`, object.get(message, "tool", ""))
} else := []

# The deny rules that parts fall under.
hits := [hit |
	some part in parts
	some entry in for_path
	some rule in entry.requests.deny
	rule.from == input.request.from
	matches(rule, part)
	hit := {"entry": entry, "place": rule.place, "part": part}
]

# What allows each part, and the parts that nothing does.
allowances[index] := way if {
	some index, part in parts
	way := way_of(part)
}

without := [part |
	some index, part in parts
	not allowances[index]
]

way_of(part) := ways[0] if {
	ways := [{"entry": entry, "place": place} |
		some entry in alike
		some place in places(entry, part)
	]
	count(ways) > 0
} else := {"entry": authority, "place": authority.place} if {
	# The server may answer, and say what it likes where no rule lists what it may say.
	input.request.from == "server"
	is_open_to_server(part)
}

is_open_to_server(_) if {
	not limits_server
	has_messages
}

is_open_to_server(part) if part.kind == "response"

has_messages if input.request.jsonrpc

has_messages if input.request.websocket

limits_server if {
	some entry in alike
	entry.requests.limits_server
}

# The places of an endpoint that allow a part.
places(entry, part) := by_rules(entry, part) if {
	entry.match.endpoint.protocol == "rest"
} else := places_of_call(entry, part) if {
	entry.match.endpoint.protocol == "mcp"
} else := places_of_message(entry, part) if {
	entry.match.endpoint.protocol == "websocket"
	input.request.websocket
	input.request.from == "client"
} else := [entry.place] if {
	# A text without statements executes nothing.
	entry.match.endpoint.protocol == "sql"
	count(input.request.sql.statements) == 0
} else := by_rules(entry, part) if {
	is_carried(entry.match.endpoint.protocol, part)
} else := []

by_rules(entry, part) := [rule.place |
	some rule in entry.requests.allow
	rule.from == input.request.from
	matches(rule, part)
]

# Whether a request of this method can have such a part at all.
is_carried(protocol, _) if protocol in {"websocket", "sql"}

is_carried("graphql", _) if input.request.method == "POST"

# GET must change nothing (RFC 9110 section 9.2.1), so it may carry queries only.
is_carried("graphql", part) if {
	input.request.method in {"GET", "HEAD"}
	input.request.graphql
	part.operation_type == "query"
}

is_carried("json-rpc", _) if input.request.method == "POST"

is_carried("json-rpc", _) if input.request.from == "server"

# MCP's Streamable HTTP: POST with messages, GET for the server's stream, DELETE to end the session.
places_of_call(entry, part) := [] if {
	not input.request.jsonrpc
} else := by_rules(entry, part) if {
	input.request.from == "server"
} else := [entry.place] if {
	count(input.request.jsonrpc.messages) == 0
	is_of_session(entry.requests.allow)
} else := [] if {
	input.request.method != "POST"
} else := [entry.place] if {
	# A response answers what the server was allowed to ask.
	part.kind == "response"
} else := by_rules(entry, part)

is_of_session(rules) if {
	input.request.method == "GET"
	input.request.jsonrpc.receive_stream
	some rule in rules
	rule.from == "client"
}

is_of_session(rules) if {
	input.request.method == "DELETE"
	some rule in rules
	rule.from == "client"
	matches_call(rule, {"kind": "request", "method": "initialize", "params": {}})
}

places_of_message(entry, part) := [] if {
	# Beside rules about operations, a message that could not be read as GraphQL is one that they could not be asked about.
	entry.requests.reads_operations
	not is_graphql_message
} else := by_rules(entry, part) if {
	not entry.requests.allows_operations
} else := [entry.place] if {
	input.request.websocket.control
} else := [rule.place |
	some rule in entry.requests.allow
	rule.from == "client"
	rule.about == "operation"
	matches(rule, part)
]

is_graphql_message if input.request.websocket.graphql

is_graphql_message if input.request.websocket.control

# Whether a rule fits a part. A condition that the rule does not have holds; what it may have, request-data.ts of the engines tells.
matches(rule, _) if {
	head_rules[rule.about]
	methods[rule.method]
	fits(rule, "path", input.request.path)
	fits_named(rule, "query", input.request.query_params)
}

matches(rule, part) if {
	rule.about == "operation"
	content.about == "operation"
	fits_text(rule, "type", part.operation_type)
	fits(rule, "name", part.operation_name)
	fits_each(rule, "fields", part.fields)
}

matches(rule, part) if {
	content.about == "call"
	matches_call(rule, part)
}

matches(rule, part) if {
	rule.about == "statement"
	content.about == "statement"
	fits_text(rule, "effect", part.effect)
	fits(rule, "command", part.command)
	fits_tables(rule, part.tables)
}

# HEAD asks for what GET would send (RFC 9110 section 9.3.2).
methods := {"*", "HEAD", "GET"} if {
	input.request.method == "HEAD"
} else := {"*", input.request.method}

# The rules that are about heads; on WebSocket endpoints, they are about messages too.
head_rules := {"message"} if {
	input.request.websocket
} else := set() if {
	input.request.sql
} else := {"request", "message"}

# Responses are no rule's business.
matches_call(rule, message) if {
	rule.about == "call"
	message.kind != "response"
	covers(rule.method, message.method)
	fits_tool(rule, message)
	fits_named(rule, "params", message.params)
}

fits_tool(rule, _) if not rule.tools

fits_tool(rule, message) if covers(rule.tools, message.tool)

fits_tables(rule, tables) if {
	rule.every
	every table in tables {
		fits(rule, "tables", table)
	}
}

fits_tables(rule, _) if {
	not rule.every
	not rule.any_table
}

fits_tables(rule, tables) if {
	some table in tables
	some pattern in rule.any_table
	could_be(pattern, table)
}

could_be(pattern, table) if covers(pattern.whole, table)

# Where either leaves the schema out it may be any: a rule cannot be dodged by writing less or more than it does.
could_be(pattern, table) if {
	names := split(table, ".")
	covers(pattern.table, names[count(names) - 1])
	schema := concat(".", array.slice(names, 0, count(names) - 1))
	fits_schema(pattern, schema)
}

fits_schema(_, schema) if schema == ""

fits_schema(pattern, schema) if fits(pattern, "schema", schema)

fits_text(rule, condition, _) if not rule[condition]

fits_text(rule, condition, text) if rule[condition] == text

fits(rule, condition, _) if not rule[condition]

fits(rule, condition, text) if covers(rule[condition], text)

# To allow, there must be values and each be covered; to deny, one is enough.
fits_each(rule, condition, _) if not rule[condition]

fits_each(rule, condition, values) if covers_values(rule[condition], rule.every, values)

fits_named(rule, condition, _) if not rule[condition]

fits_named(rule, condition, given) if {
	every name, patterns in rule[condition] {
		covers_values(patterns, rule.every, given[name])
	}
}

covers_values(patterns, true, values) if {
	count(values) > 0
	every value in values {
		covers(patterns, value)
	}
}

covers_values(patterns, false, values) if {
	some value in values
	covers(patterns, value)
}

covers(patterns, text) if patterns.exact[text]

covers(patterns, text) if {
	some prefix in patterns.prefixes
	startswith(text, prefix)
}

covers(patterns, text) if {
	some pattern in patterns.patterns
	regex.match(pattern, text)
}

# What was asked, for a person; without its query.
whole := sprintf("The server's message on %s", [input.request.path]) if {
	input.request.from == "server"
} else := sprintf("A message on %s", [input.request.path]) if {
	input.request.websocket
} else := sprintf("%s %s", [input.request.method, input.request.path])

described(part) := sprintf("%s: %s %s { %s }", [whole, part.operation_type, part.operation_name, fields]) if {
	content.about == "operation"
	fields := shown(concat(" ", part.fields))
} else := sprintf("%s: %s %s", [whole, shown(part.method), shown(object.get(part, "tool", ""))]) if {
	content.about == "call"
} else := shown(sprintf("%s %s", [part.command, concat(", ", part.tables)])) if {
	content.about == "statement"
} else := whole

# Words of the workload's own choosing, kept to one short line.
shown(text) := substring(text, 0, 128) if {
	regex.match(`^[ -~]*$`, text)
} else := "(not printable)"

# Answers.
not_allowed := object.union(refuse_request("request_not_allowed", reason, remedy), by_place(authority, authority.place)) if {
	reason := sprintf("%s is not allowed by %s", [described(without[0]), authority.place])
	remedy := sprintf("Let the rules or the access of %s allow it.", [authority.place])
}

denied_by(hit) := object.union(refuse_request("request_denied", reason, remedy), by_place(hit.entry, hit.place)) if {
	reason := sprintf("%s is denied by %s", [described(hit.part), hit.place])
	remedy := sprintf("It is refused on purpose, whatever else allows it. Change %s if this was not meant.", [hit.place])
}

# An endpoint that only watches lets through what it would refuse, and says so.
watched(denied) := object.union(object.remove(denied, ["code", "remedy"]), {"action": "audit", "reason": reason}) if {
	reason := sprintf("%s, and let through: the endpoint only audits", [denied.reason])
}

permitted(way) := {
	"action": "allow",
	"reason": concat(" ", ["allowed by", way.place]),
	"policy": way.entry.match.policy_name,
	"endpoint": reference(way.entry.match),
	"rule": way.place,
}

by_endpoint(entry) := {"policy": entry.match.policy_name, "endpoint": reference(entry.match)}

reference(match) := {"policy": match.policy_key, "index": match.endpoint_index, "host": match.endpoint.host}

by_place(entry, rule) := object.union(by_endpoint(entry), {"rule": rule})

# METADATA
# title: The refusal of a request with its code, the reason for people and what they could do about it
refuse_request(code, reason, remedy) := {"action": "deny", "code": code, "reason": reason, "remedy": remedy}

# METADATA
# title: The refusal of a request for a reason of your own
deny_request(reason) := refuse_request("rules_denied", reason, "")
