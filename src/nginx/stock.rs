//! Files that nginx's distributions ship, known by content when they are not on this machine.
//!
//! They hold what matters to a model: names of headers and parameters. Where versions of a file differ only in a value,
//! one of them stands here.

/// The contents of a stock file, by the path that an `include` names.
///
/// `mime.types` and the parameter files are known by their names wherever they stand, Debian's snippets below
/// `snippets/`.
pub fn stock_file(path: &[u8]) -> Option<&'static str> {
    let path = std::str::from_utf8(path).ok()?;
    let mut parts = path.rsplit('/');
    let name = parts.next()?;
    let folder = parts.next();
    Some(match (folder, name) {
        (_, "mime.types") => MIME_TYPES,
        (_, "proxy_params") => PROXY_PARAMS,
        (_, "fastcgi_params") => FASTCGI_PARAMS,
        (_, "fastcgi.conf") => FASTCGI_CONF,
        (_, "uwsgi_params") => UWSGI_PARAMS,
        (_, "scgi_params") => SCGI_PARAMS,
        (Some("snippets"), "fastcgi-php.conf") => FASTCGI_PHP,
        (Some("snippets"), "snakeoil.conf") => SNAKEOIL,
        _ => return None,
    })
}

const MIME_TYPES: &str = "types {
    text/html html htm shtml;
    text/css css;
    text/xml xml;
    text/plain txt;
    image/gif gif;
    image/jpeg jpeg jpg;
    image/png png;
    image/svg+xml svg svgz;
    image/webp webp;
    application/javascript js;
    application/json json;
    application/wasm wasm;
    application/pdf pdf;
    font/woff woff;
    font/woff2 woff2;
    video/mp4 mp4;
}
";

const PROXY_PARAMS: &str = "proxy_set_header Host $host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
";

macro_rules! fastcgi_params {
    ($($first:literal)?) => {
        concat!(
            $($first,)?
            "fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REQUEST_SCHEME $scheme;
fastcgi_param HTTPS $https if_not_empty;
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx/$nginx_version;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $server_name;
fastcgi_param REDIRECT_STATUS 200;
"
        )
    };
}

const FASTCGI_PARAMS: &str = fastcgi_params!();
const FASTCGI_CONF: &str =
    fastcgi_params!("fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n");

const UWSGI_PARAMS: &str = "uwsgi_param QUERY_STRING $query_string;
uwsgi_param REQUEST_METHOD $request_method;
uwsgi_param CONTENT_TYPE $content_type;
uwsgi_param CONTENT_LENGTH $content_length;
uwsgi_param REQUEST_URI $request_uri;
uwsgi_param PATH_INFO $document_uri;
uwsgi_param DOCUMENT_ROOT $document_root;
uwsgi_param SERVER_PROTOCOL $server_protocol;
uwsgi_param REQUEST_SCHEME $scheme;
uwsgi_param HTTPS $https if_not_empty;
uwsgi_param REMOTE_ADDR $remote_addr;
uwsgi_param REMOTE_PORT $remote_port;
uwsgi_param SERVER_PORT $server_port;
uwsgi_param SERVER_NAME $server_name;
";

const SCGI_PARAMS: &str = "scgi_param REQUEST_METHOD $request_method;
scgi_param REQUEST_URI $request_uri;
scgi_param QUERY_STRING $query_string;
scgi_param CONTENT_TYPE $content_type;
scgi_param DOCUMENT_URI $document_uri;
scgi_param DOCUMENT_ROOT $document_root;
scgi_param SCGI 1;
scgi_param SERVER_PROTOCOL $server_protocol;
scgi_param REQUEST_SCHEME $scheme;
scgi_param HTTPS $https if_not_empty;
scgi_param REMOTE_ADDR $remote_addr;
scgi_param REMOTE_PORT $remote_port;
scgi_param SERVER_PORT $server_port;
scgi_param SERVER_NAME $server_name;
";

const FASTCGI_PHP: &str = "fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
try_files $fastcgi_script_name =404;
set $path_info $fastcgi_path_info;
fastcgi_param PATH_INFO $path_info;
fastcgi_index index.php;
include fastcgi.conf;
";

const SNAKEOIL: &str = "ssl_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;
ssl_certificate_key /etc/ssl/private/ssl-cert-snakeoil.key;
";
