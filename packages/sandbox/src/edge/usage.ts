export const USAGE = `openshell-sandbox --proxy HOST:PORT [OPTIONS] [--] COMMAND [ARGUMENT]...

Runs COMMAND in a sandbox of this machine whose only way out is an openshell-proxy on another one (its --link). Both
show certificates. COMMAND starts once the proxy enforces the policy of this sandbox. Where the proxy is lost, COMMAND goes
on without a network until it is back.

The proxy:
  --proxy HOST:PORT    where its --link is
  --proxy-ca FILE      who signs its certificate (PEM); nobody else is believed
  --proxy-cert FILE    this node's certificate (PEM); its URI or DNS name is what the proxy knows the sandbox by
  --proxy-key FILE     the key of that certificate (PEM, not encrypted)
  --sandbox-id ID      which sandbox this is, as it is registered at the proxy
  --wait SECONDS       how long the proxy may take to be ready for it; default 60

The sandbox:
  --policy FILE        its policy: files, users and isolation are enforced here, and COMMAND starts only when the proxy
                       enforces this very policy; default: the default files, under whatever the proxy enforces
  --workdir DIR        where COMMAND starts, and may write; default: the current directory
  --env NAME[=VALUE]   a variable for COMMAND; NAME alone takes the value that it has here; can be repeated
  --upstream-ca FILE   a further certificate authority (PEM) that COMMAND trusts, for servers behind connections that the
                       proxy does not open; can be repeated
  --timeout SECONDS    ends COMMAND after this many seconds, with exit code 124
  --events FILE|-      where the security events of this node go (OCSF, one JSON object a line); what is decided about
                       connections is in the proxy's events
  --quiet, -q          no refusals and nothing about waiting on standard error
  --help, -h           shows this text

Everything from the first word that is no option belongs to COMMAND. Exit codes are those of 'openshell run'.

Example:
  openshell-sandbox --proxy gateway:4433 --proxy-ca ca.pem --proxy-cert node.pem --proxy-key node.key \\
    --sandbox-id build-7 --policy npm.yaml -- npm install
`;
