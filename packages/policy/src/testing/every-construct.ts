/** A file in the existing system's form in which every field occurs, with each way to write it. */
export const EVERY_CONSTRUCT = `
version: 1
filesystem_policy: { include_workdir: true, read_only: [/usr, /etc, /proc], read_write: [/tmp, /dev/null] }
landlock: { compatibility: best_effort }
process: { run_as_user: sandbox, run_as_group: "2000" }
network_policies:
  plain:
    endpoints: [{ host: files.example.org, port: 443 }]
    binaries: [{ path: /usr/bin/fetch }, { path: "/home/agent/.venv/**" }]
  database:
    endpoints: [{ host: pg.corp.example, port: 5432, protocol: tcp, allowed_ips: ["10.20.0.0/16"] }]
    binaries: [{ path: /usr/bin/psql }]
  forge:
    name: forge-api
    endpoints:
      - host: api.forge.example
        ports: [443]
        path: "/projects/**"
        protocol: rest
        enforcement: enforce
        access: read-write
        allow_encoded_slash: true
        deny_rules:
          - { method: "*", path: "/projects/*/*/protection" }
          - { method: PUT, path: "/projects/**", query: { force: "true", mode: { any: [hard, "h*"] }, way: { glob: "x*" } } }
        request_body_credential_rewrite: true
      - host: api.forge.example
        port: 443
        path: /graphql
        protocol: graphql
        enforcement: enforce
        graphql_max_body_bytes: 131072
        persisted_queries: allow_registered
        graphql_persisted_queries:
          f00d: { operation_type: query, operation_name: Me, fields: [me] }
        rules:
          - allow: { operation_type: query, fields: [me, project] }
          - allow: { operation_type: mutation, operation_name: "Issue*", fields: [openIssue] }
          - allow: { operation_type: "*", operation_name: Everything }
    binaries: [{ path: /usr/bin/forge }]
  live:
    endpoints:
      - host: "*.live.example.com"
        port: 443
        protocol: websocket
        enforcement: audit
        websocket_credential_rewrite: true
        rules:
          - allow: { method: GET, path: /socket }
          - allow: { operation_type: subscription, fields: [added] }
    binaries: [{ path: /usr/bin/node }]
  tools:
    endpoints:
      - host: tools.example.com
        port: 443
        path: /mcp
        protocol: mcp
        enforcement: enforce
        mcp: { max_body_bytes: 131072, strict_tool_names: true, allow_all_known_mcp_methods: false }
        rules:
          - allow: { method: initialize }
          - allow: { method: notifications/initialized }
          - allow: { method: tools/list }
          - allow: { method: tools/call, tool: { any: [search, "list_*"] } }
          - allow: { method: tools/call, params: { name: read } }
        deny_rules: [{ method: tools/call, tool: run_code }]
    binaries: [{ path: /usr/bin/node }]
  rpc:
    endpoints:
      - host: rpc.example.com
        port: 443
        protocol: JSON-RPC
        enforcement: enforce
        json_rpc: { max_body_bytes: 65536 }
        rules: [{ allow: { method: reports.list } }]
    binaries: [{ path: /usr/bin/python3.11 }]
  bucket:
    endpoints:
      - host: "*.s3.eu-central-1.example.net"
        port: 443
        protocol: rest
        access: full
        credential_binding: { provider: cloud }
        credential_signing: sigv4
        signing_service: s3
        signing_region: eu-central-1
        allow_uninspected_credentials: false
    binaries: [{ path: /usr/bin/s3 }]
  pinned:
    endpoints: [{ host: mtls.example.com, port: 443, tls: skip }]
    binaries: [{ path: /usr/bin/fetch }]
network_middlewares:
  redact:
    name: redactor
    middleware: openshell/regex
    order: 10
    config: { mode: redact, nested: { list: [1, two, null] } }
    on_error: fail_closed
    endpoints: { include: ["*.forge.example"], exclude: [raw.forge.example] }
`;
