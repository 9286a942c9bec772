//! The server's configuration, whole: what is compressed, kept, found under clean addresses, and never served.
//!
//! Addresses and errors behave as visitors of the large hosts of static sites know it. The server runs without rights:
//! whatever it writes is below `/tmp`, and its logs are those of the container. It listens on IPv4 only, which every
//! network of containers has: `[::]` keeps it from starting where the kernel has no IPv6.

use std::fmt::Write as _;

use super::caching;
use super::redirects::{Place, Redirects};
use super::types::{self, TYPES};

/// The whole text. The site lies at `root`; `is_single_page` answers unknown pages with `index.html`.
pub(super) fn configuration(root: &str, is_single_page: bool, redirects: &Redirects) -> String {
    let media_types = media_types();
    let compressed = compressed();
    let kept = kept();
    let forced = redirects.directives(Place::Server);
    let rules = redirects.directives(Place::Location);
    let single_page = if is_single_page { single_page() } else { String::new() };
    format!(
        r#"daemon off;
# Enough for files on any machine; each one costs memory.
worker_processes 2;
pid /tmp/nginx.pid;
error_log stderr warn;

events {{
    worker_connections 1024;
}}

http {{
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    log_format visits '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent '
                      '"$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
    access_log /dev/stdout visits;
    log_not_found off;

    types_hash_max_size 2048;
    types {{
{media_types}    }}
    default_type application/octet-stream;
    charset utf-8;
    charset_types text/css text/csv text/javascript text/markdown text/plain text/vtt text/xml;

    sendfile on;
    tcp_nopush on;
    server_tokens off;
    absolute_redirect off;

    # A file that lies beside its own .gz is sent as that.
    gzip on;
    gzip_static on;
    gzip_vary on;
    gzip_proxied any;
    gzip_comp_level 5;
    gzip_min_length 512;
    gzip_types
{compressed};

    # Names that change with their content are kept for ever, all else is asked for again.
    map $uri $kept {{
        default "no-cache";
{kept}    }}
    map $status $cache_control {{
        default "no-cache";
        200 $kept;
        206 $kept;
        304 $kept;
    }}
    map $status $allow {{
        405 "GET, HEAD";
    }}

    server {{
        listen ${{PORT}} default_server;
        root {root};
        error_page 404 /404.html;

        add_header Cache-Control $cache_control always;
        add_header X-Content-Type-Options nosniff always;
        add_header Allow $allow always;

        if ($request_method !~ "^(?:GET|HEAD)$") {{
            return 405;
        }}
{forced}
        location = /404.html {{
            internal;
        }}

        # Hidden files, and what other hosts read and do not serve either
        location ~ "^/[.](?!well-known/)|./[.]|^/_(?:headers|redirects)$" {{
            return 404;
        }}

        location / {{
            try_files $uri $uri.html @elsewhere;
        }}

        location ~ "/$" {{
            try_files "${{uri}}index.html" @elsewhere;
        }}

        location @elsewhere {{
            # A directory's page has its address with a slash, so that links in it lead to the right place.
            if (-f "$document_root$uri/index.html") {{
                rewrite "^(.*[^/])$" "$1/" permanent;
            }}
{rules}{single_page}            try_files $uri $uri.html "$uri/index.html" =404;
        }}
    }}
}}
"#
    )
}

fn media_types() -> String {
    let mut text = String::new();
    for (name, extensions, _) in TYPES {
        let _infallible = writeln!(text, "        {name} {};", extensions.join(" "));
    }
    text
}

/// HTML is not among them, since it is always compressed.
fn compressed() -> String {
    let names = TYPES
        .iter()
        .filter(|(name, _, is_smaller)| *is_smaller && *name != "text/html");
    let lines: Vec<String> = names.map(|(name, ..)| format!("        {name}")).collect();
    lines.join("\n")
}

fn kept() -> String {
    let mut text = String::new();
    for (rule, is_kept) in caching::rules() {
        let value = if is_kept {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let _infallible = writeln!(text, "        \"~{rule}\" \"{value}\";");
    }
    text
}

fn single_page() -> String {
    format!(
        "            # Every address that is no file's is the single page's.\n            \
         rewrite \"{}\" /index.html break;\n",
        types::no_file_pattern()
    )
}
