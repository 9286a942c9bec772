#!/usr/bin/env bash
# Installs a built Dhow as a systemd service: install.sh [BINARY], by default target/release/dhow.
# Makes the system user dhow, /usr/local/bin/dhow, the unit, and /etc/dhow/dhow.env once. Run again, it
# updates the binary and the unit, and restarts Dhow; the apps go on serving meanwhile.
# Leaves alone: settings and data that are there, and the Docker engine, which must be installed before.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-$here/../target/release/dhow}
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "run this as root, as in: sudo $0"
[ -d /run/systemd/system ] || die "systemd does not run this machine; start 'dhow serve' by your own means"
{ command -v docker && getent group docker; } >/dev/null ||
    die "no Docker engine is installed here; install one first, as in: apt-get install docker.io"
[ -x "$binary" ] || die "no binary at $binary; build it with 'cargo build --release', or name it: $0 BINARY"
"$binary" version >/dev/null || die "$binary does not run on this machine"

getent passwd dhow >/dev/null ||
    useradd --system --user-group --home-dir /var/lib/dhow --no-create-home --shell /usr/sbin/nologin dhow
install -m 755 "$binary" /usr/local/bin/dhow
install -m 644 "$here/dhow.service" /etc/systemd/system/dhow.service
install -d -m 755 /etc/dhow
[ -e /etc/dhow/dhow.env ] || install -m 600 /dev/stdin /etc/dhow/dhow.env <<'ENV'
# One setting a line; 'dhow serve --help' names them all. After a change: systemctl restart dhow
#DHOW_BASE_DOMAIN=apps.example.com
#DHOW_HTTP_PORT=80
#DHOW_HTTPS_PORT=443
ENV

systemctl daemon-reload
systemctl enable --quiet dhow
systemctl restart dhow
echo "Dhow is installed. Its address, and at first the link to claim it: journalctl -u dhow"
