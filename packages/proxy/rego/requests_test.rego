package openshell.requests_test

import data.openshell.policy

# Patterns as the index has them.
texts(list) := {"exact": {text: true | some text in list}, "prefixes": [], "patterns": []}

below(prefix) := {"exact": {}, "prefixes": [prefix], "patterns": []}

like(pattern) := {"exact": {}, "prefixes": [], "patterns": [pattern]}

anything := below("")

# An inspected endpoint as the index has it; its key is its name.
entry(order, key, protocol, fields) := {
	"rank": order,
	"order": order,
	"ports": [443],
	"host": "api.example.com",
	"names_host": true,
	"programs": {"exact": {"/bin/a": true}, "prefixes": [], "patterns": []},
	"place": key,
	"match": {
		"policy_name": key,
		"policy_key": key,
		"endpoint_index": 0,
		"endpoint": {
			"host": "api.example.com",
			"ports": [443],
			"protocol": protocol,
			"enforcement": object.get(fields, "enforcement", "enforce"),
			"mcp": {"strict_tool_names": object.get(fields, "strict", false)},
		},
	},
	"requests": object.union(
		{
			"reading": object.get(readings, protocol, protocol),
			"allow": [],
			"deny": [],
			"limits_server": false,
			"allows_operations": false,
			"reads_operations": false,
		},
		object.remove(fields, ["enforcement", "strict"]),
	),
}

readings := {"rest": "http", "websocket": "http"}

rule(place, about, conditions) := object.union(
	{"place": place, "about": about, "from": "client", "every": true},
	conditions,
)

# The answer to a request of which the endpoints are all there are.
answer(entries, request) := decision if {
	question := {
		"network": {"host": "api.example.com", "port": 443},
		"exec": {"path": "/bin/a", "ancestors": []},
		"request": object.union({"method": "POST", "path": "/", "query_params": {}, "from": "client"}, request),
	}
	index := {"hosts": {"api.example.com": entries}}
	decision := policy.request_authorization with input as question with data.egress_index as index with data.network_policies as {"p": {}}
}

# What decided.
rule_of(entries, request) := decision.rule if {
	decision := answer(entries, request)
	decision.action == "allow"
}

code_of(entries, request) := answer(entries, request).code

get := rule("get", "request", {"method": "GET"})

whole := entry(1, "whole", "rest", {"allow": [get], "deny": [rule("q", "request", {"every": false, "method": "*", "query": {"q": texts(["bad"])}})]})

narrow := entry(0, "narrow", "rest", {
	"path": below("/a/"),
	"allow": [
		rule("x", "request", {"method": "POST", "path": like("^/a/[xy]$")}),
		rule("v", "request", {"method": "POST", "query": {"v": below("1")}}),
	],
})

both := [whole, narrow]

test_heads if {
	rule_of(both, {"method": "GET"}) == "get"
	rule_of(both, {"method": "HEAD"}) == "get"
	rule_of(both, {"path": "/a/x"}) == "x"
	rule_of(both, {"path": "/a/z", "query_params": {"v": ["1", "12"]}}) == "v"
	rule_of(both, {"path": "/a/z", "method": "GET"}) == "get"
	code_of(both, {"path": "/a/z", "query_params": {"v": ["1", "2"]}}) == "request_not_allowed"
	code_of(both, {"path": "/a/z"}) == "request_not_allowed"
	code_of(both, {"path": "/a/x", "query_params": {"q": ["good", "bad"]}}) == "request_denied"
	code_of([narrow], {"path": "/b"}) == "request_not_allowed"
	not answer([narrow], {"path": "/b"}).rule
	code_of(both, {"method": "GET", "error": "cut off"}) == "request_malformed"
	code_of([whole], {"method": "GET", "sql": {"statements": []}}) == "request_not_allowed"
	code_of([whole], {"method": "GET", "websocket": {}}) == "request_not_allowed"
}

test_an_endpoint_that_audits_lets_through_and_says_so if {
	silent := entry(0, "silent", "rest", {"enforcement": "audit"})
	decision := answer([silent], {})
	decision.action == "audit"
	decision.rule == "silent"
	not decision.code
	denying := entry(0, "denying", "rest", {
		"enforcement": "audit",
		"allow": [rule("all", "request", {"method": "*"})],
		"deny": [rule("no", "request", {"method": "POST", "every": false})],
	})
	answer([denying], {}).action == "audit"
	answer([denying], {}).rule == "no"
}

test_where_nothing_is_inspected_the_connection_decides if {
	plain := object.remove(whole, ["requests", "order"])
	rule_of([plain], {}) == "whole"
	code_of([plain], {"error": "cut off"}) == "request_malformed"
	answer([], {}).code == "request_not_allowed"
}

operation(type, name, fields) := {"operation_type": type, "operation_name": name, "fields": fields}

asked(operations) := {"graphql": {"operations": operations}}

test_operations if {
	queries := rule("queries", "operation", {"type": "query"})
	me := rule("me", "operation", {"name": texts(["Me"]), "fields": texts(["me"])})
	secrets := rule("secrets", "operation", {"every": false, "fields": texts(["secret"])})
	graphql := [entry(0, "g", "graphql", {"allow": [queries, me], "deny": [secrets]})]
	rule_of(graphql, asked([operation("query", "", ["a"])])) == "queries"
	rule_of(graphql, asked([operation("query", "", ["a"]), operation("mutation", "Me", ["me"])])) == "me"
	rule_of(graphql, object.union(asked([operation("query", "", [])]), {"method": "GET"})) == "queries"
	code_of(graphql, object.union(asked([operation("mutation", "Me", ["me"])]), {"method": "GET"})) == "request_not_allowed"
	code_of(graphql, asked([operation("mutation", "Me", [])])) == "request_not_allowed"
	code_of(graphql, asked([operation("query", "", ["a", "secret"])])) == "request_denied"
	code_of(graphql, asked([])) == "request_not_allowed"
}

said(message) := object.union({"method": "WEBSOCKET_TEXT"}, {"websocket": message})

test_messages_of_websockets if {
	texts_of_client := rule("text", "message", {"method": "WEBSOCKET_TEXT"})
	socket := [entry(0, "s", "websocket", {"allow": [rule("open", "message", {"method": "GET"}), texts_of_client]})]
	rule_of(socket, {"method": "GET"}) == "open"
	rule_of(socket, said({})) == "text"
	rule_of(socket, object.union(said({}), {"from": "server"})) == "s"
	queries := rule("queries", "operation", {"type": "query"})
	graphql := [entry(0, "g", "websocket", {"allow": [texts_of_client, queries], "reads_operations": true, "allows_operations": true})]
	rule_of(graphql, said({"graphql": operation("query", "", ["a"])})) == "queries"
	rule_of(graphql, said({"control": true})) == "g"
	code_of(graphql, said({"graphql": operation("mutation", "", ["a"])})) == "request_not_allowed"
	code_of(graphql, said({})) == "request_not_allowed"
	limited := [entry(0, "l", "websocket", {"limits_server": true, "allow": [object.union(texts_of_client, {"from": "server"})]})]
	rule_of(limited, object.union(said({}), {"from": "server"})) == "text"
	code_of(limited, {"method": "WEBSOCKET_BINARY", "websocket": {}, "from": "server"}) == "request_not_allowed"
}

call(method, more) := object.union({"kind": "request", "method": method, "params": {}}, more)

response := {"kind": "response", "method": "", "params": {}}

posted(messages) := {"jsonrpc": {"messages": messages, "receive_stream": false}}

sent(messages) := object.union(posted(messages), {"from": "server"})

test_calls if {
	reports := rule("reports", "call", {"method": texts(["reports.list"]), "params": {"year": below("20")}})
	rpc := [entry(0, "r", "json-rpc", {"allow": [reports]})]
	rule_of(rpc, posted([call("reports.list", {"params": {"year": ["2024"]}})])) == "reports"
	rule_of(rpc, sent([response])) == "r"
	code_of(rpc, posted([call("reports.list", {"params": {"year": ["2024", "1999"]}})])) == "request_not_allowed"
	code_of(rpc, posted([call("reports.list", {})])) == "request_not_allowed"
	code_of(rpc, posted([response])) == "request_malformed"
	code_of(rpc, object.union(posted([call("reports.list", {"params": {"year": ["2024"]}})]), {"method": "PUT"})) == "request_not_allowed"
}

test_mcp if {
	allow := [
		rule("begin", "call", {"method": texts(["initialize"])}),
		rule("search", "call", {"method": texts(["tools/call"]), "tools": texts(["search"])}),
	]
	mcp := [entry(0, "m", "mcp", {"strict": true, "allow": allow})]
	rule_of(mcp, posted([call("initialize", {})])) == "begin"
	rule_of(mcp, posted([call("tools/call", {"tool": "search"})])) == "search"
	rule_of(mcp, posted([response])) == "m"
	rule_of(mcp, {"method": "GET", "jsonrpc": {"messages": [], "receive_stream": true}}) == "m"
	rule_of(mcp, object.union(posted([]), {"method": "DELETE"})) == "m"
	rule_of(mcp, sent([call("roots/list", {})])) == "m"
	code_of(mcp, posted([call("tools/call", {"tool": "run"})])) == "request_not_allowed"
	code_of(mcp, posted([call("tools/call", {"tool": "a b"})])) == "request_malformed"
	code_of(mcp, posted([])) == "request_not_allowed"
	code_of(mcp, object.union(posted([response]), {"method": "PUT"})) == "request_not_allowed"
	code_of(mcp, {}) == "request_not_allowed"
	limited := [entry(0, "l", "mcp", {"limits_server": true, "allow": [object.union(allow[0], {"from": "server"})]})]
	code_of(limited, sent([call("roots/list", {})])) == "request_not_allowed"
	code_of(limited, object.union(posted([]), {"method": "DELETE"})) == "request_not_allowed"
}

statement(command, effect, tables) := {"command": command, "effect": effect, "tables": tables}

queried(statements) := {"method": "QUERY", "sql": {"statements": statements}}

parts_of(whole_table, schema, table) := {"whole": texts([whole_table]), "schema": texts([schema]), "table": texts([table])}

test_statements if {
	denied := {"every": false, "command": anything, "any_table": [parts_of("private.keys", "private", "keys")]}
	sql := [entry(0, "d", "sql", {
		"allow": [
			rule("reads", "statement", {"effect": "read"}),
			rule("logs", "statement", {"command": texts(["INSERT"]), "tables": texts(["public.log"])}),
		],
		"deny": [
			rule("keys", "statement", denied),
			rule("drop", "statement", {"every": false, "command": like("^DROP ")}),
		],
	})]
	rule_of(sql, queried([])) == "d"
	rule_of(sql, queried([statement("SELECT", "read", ["a"])])) == "reads"
	rule_of(sql, queried([statement("INSERT", "write", ["public.log"])])) == "logs"
	rule_of(sql, queried([statement("SELECT", "read", ["public.keys"])])) == "reads"
	code_of(sql, queried([statement("INSERT", "write", ["public.log", "a"])])) == "request_not_allowed"
	every table in ["keys", "private.keys", "db.private.keys"] {
		expected := {"keys": "request_denied", "private.keys": "request_denied", "db.private.keys": ""}
		object.get(answer(sql, queried([statement("SELECT", "read", [table])])), "code", "") == expected[table]
	}
	code_of(sql, queried([statement("DROP TABLE", "other", ["a"])])) == "request_denied"
}

test_what_cannot_be_printed_is_not if {
	rpc := [entry(0, "r", "json-rpc", {})]
	contains(answer(rpc, posted([call("‮", {})])).reason, "(not printable)")
}

test_as_a_word if {
	policy.allow_request with policy.request_authorization as {"action": "audit"}
	not policy.allow_request with policy.request_authorization as policy.deny_request("no")
	policy.request_deny_reason == "no" with policy.request_authorization as policy.deny_request("no")
}

test_only_endpoints_that_read_alike_allow_and_all_deny if {
	graphql := entry(0, "g", "graphql", {"path": below("/graphql")})
	open := entry(1, "w", "rest", {"allow": [rule("all", "request", {"method": "*"})]})
	code_of([open, graphql], {"path": "/graphql"}) == "request_not_allowed"
	rule_of([open, graphql], {"path": "/x"}) == "all"
	closed := entry(1, "c", "rest", {"deny": [rule("no", "request", {"method": "*", "every": false})]})
	code_of([closed, graphql], {"path": "/graphql"}) == "request_denied"
}
