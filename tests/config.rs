//! What the model promises: includes as nginx reads them, values with their origin, and what cannot be seen.

use std::fs;
use std::path::{Path, PathBuf};

use nginspect::config::{
    Config, Finder, LoadOptions, Location, Modifier, Root, Scope, Visibility, load,
};
use nginspect::nginx::Contexts;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn root(folder: &TempDir) -> Config {
    load(
        &Root::File(folder.path().join("nginx.conf")),
        &LoadOptions::default(),
    )
    .expect("a configuration")
}

fn single(text: &str) -> Config {
    root(&folder(&[("nginx.conf", text)]))
}

/// Name and arguments of every directive, in the order in which nginx reads them.
fn outline(config: &Config) -> Vec<String> {
    config
        .directives()
        .map(|directive| config.text(directive.span()).into_owned())
        .collect()
}

fn location<'c>(config: &'c Config, path: &str) -> Location<'c> {
    config
        .locations()
        .find(|location| location.to_string() == path)
        .expect("a location")
}

/// The value in effect at a location, and the line it comes from.
fn effective(config: &Config, path: &str, name: &str) -> Vec<(String, u32)> {
    let found = location(config, path).directive.effective(name);
    found
        .directives
        .iter()
        .map(|directive| {
            let span = directive.span();
            let words: Vec<String> = directive.arguments().map(|word| word.to_string()).collect();
            (
                words.join(" "),
                config.sources().file(span.file).position(span.start).line,
            )
        })
        .collect()
}

#[test]
fn includes_are_spliced_in_byte_order_and_relative_to_the_root() {
    let folder = folder(&[
        (
            "nginx.conf",
            "events {}\nhttp {\n include conf.d/*.conf;\n include sub/one.conf;\n}\n",
        ),
        ("conf.d/b.conf", "server_tokens off;"),
        ("conf.d/B.conf", "sendfile on;"),
        ("conf.d/.hidden.conf", "gzip on;"),
        ("conf.d/a.conf~", "gzip on;"),
        // Relative to the root configuration, not to the including file.
        ("sub/one.conf", "include two.conf;"),
        ("two.conf", "gzip off;"),
    ]);
    let config = root(&folder);
    assert_eq!(
        outline(&config),
        [
            "events",
            "http",
            "include conf.d/*.conf",
            "sendfile on",
            "server_tokens off",
            "include sub/one.conf",
            "include two.conf",
            "gzip off"
        ]
    );
    let gzip = config
        .directives()
        .find(|directive| directive.is("gzip"))
        .expect("a directive");
    assert!(
        config
            .sources()
            .file(gzip.span().file)
            .name()
            .ends_with("two.conf"),
        "it keeps its own file"
    );
    assert_eq!(gzip.context(), Contexts::HTTP);
    assert_eq!(config.include_problems().count(), 0);
    assert_eq!(config.visibility_of_definitions(), Visibility::Whole);
}

#[test]
fn a_snippet_may_be_included_at_several_places() {
    let folder = folder(&[
        (
            "nginx.conf",
            "http { server { location /a { include p; } location /b { include p; } } }",
        ),
        ("p", "proxy_read_timeout 5s;"),
    ]);
    let config = root(&folder);
    for path in ["/a", "/b"] {
        assert_eq!(
            effective(&config, path, "proxy_read_timeout"),
            [("5s".to_owned(), 1)]
        );
    }
    assert_eq!(config.sources().iter().count(), 2, "it is read once");
}

#[test]
fn scalars_lists_and_handlers_are_inherited_each_in_their_way() {
    let config = single(
        "http {
            proxy_read_timeout 10s;
            proxy_set_header A 1;
            proxy_set_header B 2;
            server {
                proxy_read_timeout 20s;
                location / {
                    proxy_pass http://a;
                    if ($arg_x) { proxy_set_header C 3; }
                    location /nested { proxy_set_header D 4; }
                }
                location /own { proxy_read_timeout 30s; try_files $uri =404; location /own/in { } }
            }
        }",
    );
    assert_eq!(
        effective(&config, "/", "proxy_read_timeout"),
        [("20s".to_owned(), 6)]
    );
    assert_eq!(
        effective(&config, "/own/in", "proxy_read_timeout"),
        [("30s".to_owned(), 12)]
    );
    assert_eq!(
        effective(&config, "/", "proxy_set_header"),
        [("A 1".to_owned(), 3), ("B 2".to_owned(), 4)]
    );
    assert_eq!(
        effective(&config, "/nested", "proxy_set_header"),
        [("D 4".to_owned(), 10)],
        "the list is replaced"
    );
    assert_eq!(
        effective(&config, "/nested", "proxy_pass"),
        [],
        "handlers do not reach nested locations"
    );
    assert_eq!(effective(&config, "/own/in", "try_files"), []);
    let condition = config
        .directives()
        .find(|directive| directive.is("if"))
        .expect("an if");
    assert_eq!(
        condition.effective("proxy_pass").directives.len(),
        1,
        "but they reach an if"
    );
    assert_eq!(condition.inside(), Contexts::LOCATION_IF);
}

#[test]
fn one_word_locations_are_read_as_nginx_reads_them() {
    let config = single(
        "http { server { location =/x {} location ^~/x {} location ~^/x {} location ~*\\.php$ {} location @n {}
         location \"/a b\" {} location ^/x {} location ! /x {} } }",
    );
    let found: Vec<(Modifier, String)> = config
        .locations()
        .map(|location| (location.modifier, location.path.to_string()))
        .collect();
    let expected = [
        (Modifier::Exact, "/x"),
        (Modifier::PreferentialPrefix, "/x"),
        (Modifier::Regex, "^/x"),
        (Modifier::CaselessRegex, "\\.php$"),
        (Modifier::Named, "@n"),
        (Modifier::Prefix, "/a b"),
        (Modifier::Prefix, "^/x"),
    ];
    assert_eq!(
        found,
        expected.map(|(modifier, path)| (modifier, path.to_owned()))
    );
    let glued = config.locations().nth(3).expect("a location");
    assert_eq!(
        config.text(glued.path.span),
        "\\.php$",
        "its place is the name without the modifier"
    );
}

#[test]
fn what_was_not_read_proves_no_absence() {
    let folder = folder(&[(
        "nginx.conf",
        "http { server { location /a { include missing.conf; proxy_read_timeout 1s; } location /b { } } }",
    )]);
    let config = root(&folder);
    let visibility = |path, name| location(&config, path).directive.effective(name).visibility;
    assert_eq!(visibility("/a", "proxy_send_timeout"), Visibility::Partial);
    assert_eq!(
        visibility("/a", "proxy_read_timeout"),
        Visibility::Whole,
        "a scalar that is there is there"
    );
    assert_eq!(visibility("/a", "proxy_set_header"), Visibility::Partial);
    assert_eq!(
        visibility("/b", "proxy_send_timeout"),
        Visibility::Whole,
        "elsewhere everything is visible"
    );
    assert_eq!(config.include_problems().count(), 1);
}

#[test]
fn a_lone_server_shows_all_but_the_http_level() {
    let folder = folder(&[(
        "site.conf",
        "server { location / { proxy_buffering off; } }",
    )]);
    let (jobs, lost) = Finder::default().find(&[folder.path().join("site.conf")]);
    assert!(lost.is_empty());
    let config = &jobs[0].config;
    assert_eq!(config.fragment(), Some(Contexts::HTTP));
    let location = config.locations().next().expect("a location");
    assert_eq!(
        location
            .directive
            .effective("proxy_read_timeout")
            .visibility,
        Visibility::Lone
    );
    assert_eq!(
        location.directive.effective("proxy_buffering").visibility,
        Visibility::Whole
    );
    assert_eq!(config.visibility_of_definitions(), Visibility::Partial);
}

#[test]
fn a_lone_location_shows_nothing_of_its_server() {
    let folder = folder(&[("part.conf", "location / { proxy_pass http://a; }")]);
    let (jobs, _) = Finder::default().find(&[folder.path().join("part.conf")]);
    assert_eq!(jobs[0].config.fragment(), Some(Contexts::SERVER));
    let location = jobs[0].config.locations().next().expect("a location");
    assert_eq!(
        location
            .directive
            .effective("proxy_read_timeout")
            .visibility,
        Visibility::Partial
    );
}

#[test]
fn a_site_is_looked_at_inside_the_configuration_that_includes_it() {
    let folder = folder(&[
        (
            "nginx.conf",
            "events {}\nhttp { proxy_read_timeout 1h; include sites-enabled/*; }",
        ),
        ("sites-available/a", "server { location / { } }"),
        (
            "sites-available/b",
            "server { server_name b; location /b { } }",
        ),
    ]);
    fs::create_dir(folder.path().join("sites-enabled")).expect("a folder");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        "../sites-available/a",
        folder.path().join("sites-enabled/a"),
    )
    .expect("a link");

    let (jobs, lost) = Finder::default().find(&[folder.path().join("sites-available/a")]);
    assert!(lost.is_empty());
    let job = &jobs[0];
    assert_eq!(
        effective(&job.config, "/", "proxy_read_timeout"),
        [("1h".to_owned(), 2)]
    );
    let files: Vec<PathBuf> = match &job.scope {
        Scope::Files(files) => files.iter().cloned().collect(),
        Scope::All => panic!("only one file was asked for"),
    };
    let target = folder
        .path()
        .canonicalize()
        .expect("a folder")
        .join("sites-available/a");
    assert_eq!(files, [target]);

    // Not enabled yet: as if it were.
    let (jobs, _) = Finder::default().find(&[folder.path().join("sites-available/b")]);
    assert_eq!(
        effective(&jobs[0].config, "/b", "proxy_read_timeout"),
        [("1h".to_owned(), 2)]
    );
    assert!(
        jobs[0]
            .story
            .iter()
            .any(|line| line.contains("as if enabled")),
        "{:?}",
        jobs[0].story
    );
}

#[test]
fn a_new_version_of_an_enabled_site_takes_its_place() {
    let folder = folder(&[
        ("nginx.conf", "events {}\nhttp { include sites-enabled/*; }"),
        (
            "sites-enabled/shop",
            "server { server_name shop.example; location /old { } }",
        ),
        (
            "drafts/shop-v2",
            "server { server_name shop.example; location /new { } }",
        ),
        (
            "drafts/shop",
            "server { server_name other.example; location /same-name { } }",
        ),
    ]);
    for (draft, path) in [("shop-v2", "/new"), ("shop", "/same-name")] {
        let (jobs, _) = Finder::default().find(&[folder.path().join("drafts").join(draft)]);
        let found: Vec<String> = jobs[0]
            .config
            .locations()
            .map(|location| location.to_string())
            .collect();
        assert_eq!(found, [path], "{:?}", jobs[0].story);
    }
}

#[test]
fn a_dump_is_many_files() {
    let text = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
        # configuration file /etc/nginx/nginx.conf:\nevents {}\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n}\n\n\
        # configuration file /etc/nginx/conf.d/a.conf:\nserver {\n    location /a { }\n}\n\n";
    let folder = folder(&[("dump.txt", text)]);
    let (jobs, lost) = Finder::default().find(&[folder.path().join("dump.txt")]);
    assert!(lost.is_empty(), "{lost:?}");
    let config = &jobs[0].config;
    let span = location(config, "/a").directive.span();
    let file = config.sources().file(span.file);
    assert_eq!(
        (file.name(), file.position(span.start).line),
        ("/etc/nginx/conf.d/a.conf", 2)
    );
    assert_eq!(config.include_problems().count(), 0);
}

#[test]
fn absolute_includes_are_looked_up_in_a_checkout() {
    let folder = folder(&[
        (
            "etc/nginx/nginx.conf",
            "events {}\nhttp { include /etc/nginx/conf.d/*.conf; include /etc/nginx/x.conf; }",
        ),
        ("etc/nginx/conf.d/a.conf", "gzip on;"),
        ("etc/nginx/x.conf", "gzip_static on;"),
    ]);
    let mut options = LoadOptions::default();
    options.files.root = Some(folder.path().to_owned());
    let config = load(
        &Root::File(folder.path().join("etc/nginx/nginx.conf")),
        &options,
    )
    .expect("a configuration");
    let outline = outline(&config);
    assert!(
        outline.contains(&"gzip on".to_owned()) && outline.contains(&"gzip_static on".to_owned()),
        "{outline:?}"
    );
}

#[test]
fn stock_files_are_known_where_they_are_not_installed() {
    let folder = folder(&[(
        "nginx.conf",
        "events {}\nhttp { include mime.types; server { location / { include proxy_params; proxy_pass http://a; } } }",
    )]);
    let config = root(&folder);
    assert_eq!(config.include_problems().count(), 0);
    let place = config.proxied().next().expect("a proxied location");
    assert!(place.headers().get("X-Forwarded-Proto").is_some());
    assert_eq!(place.headers().visibility(), Visibility::Whole);
}

#[test]
fn circles_of_includes_end() {
    let folder = folder(&[
        ("nginx.conf", "events {}\nhttp { include a.conf; }"),
        ("a.conf", "gzip on; include b.conf;"),
        ("b.conf", "include ./a.conf; sendfile on;"),
    ]);
    let config = root(&folder);
    assert_eq!(config.include_problems().count(), 1);
    assert!(
        outline(&config).contains(&"sendfile on".to_owned()),
        "reading goes on after it"
    );
}

#[test]
fn variables_are_known_wherever_they_are_defined() {
    use nginspect::nginx::Subsystem::Http;
    let config = single(
        "http { map $a $mapped { default 1; } geo $geo { default 1; } split_clients $a $split { * x; }
         server { server_name ~^(?<named>.+)$; set $set 1; location ~ ^/(?P<other>x) { auth_request_set $auth 1; } } }",
    );
    for name in [
        "mapped",
        "geo",
        "split",
        "named",
        "set",
        "other",
        "auth",
        "SET",
        "http_anything",
    ] {
        assert!(config.may_know_variable(name, Http), "{name}");
    }
    for name in ["a", "nothing", "connection_upgrade"] {
        assert!(!config.may_know_variable(name, Http), "{name}");
    }
}

#[test]
fn edits_take_the_indentation_and_the_line_ending_of_their_place() {
    let text = "http {\r\n\tserver {\r\n\t\tlocation / {\r\n\t\t\tproxy_pass http://a;\r\n\t\t}\r\n\t}\r\n}\r\n";
    let config = single(text);
    let pass = config
        .directives()
        .find(|directive| directive.is("proxy_pass"))
        .expect("a directive");
    assert_eq!(
        pass.append_lines(&["a;", "b;"]).text,
        "\r\n\t\t\ta;\r\n\t\t\tb;"
    );
    assert_eq!(
        pass.remove().span.range(),
        text.find("\t\t\tproxy").expect("it")..text.find("\t\t}").expect("it")
    );

    let config = single("http { server { location / { root /x; proxy_pass http://a; } } }");
    let pass = config
        .directives()
        .find(|directive| directive.is("proxy_pass"))
        .expect("a directive");
    assert_eq!(pass.append_lines(&["a;"]).text, " a;");
    assert_eq!(config.text(pass.remove().span), "proxy_pass http://a; ");
}

#[test]
fn a_folder_is_searched_when_it_has_no_root_of_its_own() {
    let folder = folder(&[
        ("a/site.conf", "server { listen 80; }"),
        (
            "a/php-fpm.conf",
            "[www]\nuser = www-data\nlisten = /run/php.sock\n",
        ),
        ("a/empty.conf", "# nothing\n"),
        ("sites-available/plain", "server { listen 81; }"),
        ("notes.txt", "server { listen 82; }"),
    ]);
    let (jobs, lost) = Finder::default().find(&[folder.path().to_owned()]);
    assert!(lost.is_empty(), "{lost:?}");
    let read: Vec<String> = jobs
        .iter()
        .flat_map(|job| job.config.sources().iter())
        .filter_map(|(_, file)| {
            Path::new(file.name())
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .collect();
    assert_eq!(read, ["site.conf", "plain"]);
}

#[test]
fn a_comment_knows_what_it_stands_at() {
    let config = single(
        "# top\r\nevents {} # end\r\nhttp {\r\n    # above\r\n\r\n    server { # head\r\n        listen # inside\r\n            80; # after\r\n        return 204 '# text';\r\n        # below\r\n    }\r\n}\r\n",
    );
    let found: Vec<(String, bool, Option<String>)> = config
        .comments()
        .map(|comment| {
            let target = comment.target().map(|span| config.excerpt(span));
            (comment.text().into_owned(), comment.is_at_top(), target)
        })
        .collect();
    let server = "server { # head listen # inside 80; # after return 204 '# te…";
    let expected = [
        ("# top", true, Some("events {}")),
        ("# end", false, Some("events {} # end")),
        ("# above", false, Some(server)),
        ("# head", false, Some("server { # head")),
        ("# inside", false, Some("listen # inside")),
        ("# after", false, Some("listen # inside 80; # after")),
        ("# below", false, None),
    ];
    let expected = expected.map(|(text, top, target)| {
        let target = target.map(str::to_owned);
        (text.to_owned(), top, target)
    });
    assert_eq!(found, expected);
}

#[test]
fn a_comment_goes_away_without_a_trace() {
    let text = "# a\r\nevents {} \t# b\r\nhttp {\n\t# c\n\tserver { listen 80; } # d\n} # e";
    let config = single(text);
    let mut left = text.as_bytes().to_vec();
    let edits: Vec<_> = config.comments().map(|comment| comment.remove()).collect();
    for edit in edits.iter().rev() {
        left.splice(edit.span.range(), edit.text.bytes());
    }
    assert_eq!(
        String::from_utf8_lossy(&left),
        "events {}\r\nhttp {\n\tserver { listen 80; }\n}"
    );
}

#[test]
fn in_a_checkout_absolute_paths_that_lead_out_of_it_are_not_those_of_this_machine() {
    let host = folder(&[("site.conf", "server { listen 81; }")]);
    let outside = host.path().join("site.conf");
    let text = format!(
        "events {{}} http {{ include {}; include {}/*.conf; include /etc/nginx/mime.types; }}",
        outside.display(),
        host.path().display()
    );
    let plain = folder(&[("nginx.conf", &text)]);
    assert_eq!(root(&plain).servers().count(), 2);

    let checkout = folder(&[("nginx.conf", &text), (".git/HEAD", "")]);
    let config = root(&checkout);
    assert_eq!(config.servers().count(), 0);
    let http = config.top().find(|block| block.is("http"));
    let http = http.expect("a block");
    assert_eq!(http.visibility(), Visibility::Partial);
    assert_eq!(http.own("types").count(), 1, "stock files are known");
    let found: Vec<_> = config
        .include_problems()
        .map(|(_, problem)| problem.path.clone())
        .collect();
    assert_eq!(found, [outside]);

    let mut options = LoadOptions::default();
    options.files.root = Some(PathBuf::from("/"));
    let config = load(&Root::File(checkout.path().join("nginx.conf")), &options);
    assert_eq!(config.expect("a configuration").servers().count(), 2);
}

#[test]
fn a_pattern_below_a_folder_that_is_not_here_leaves_it_open_what_it_brings() {
    let text = "events {} http { include /no/such/folder/*.conf; }";
    let config = single(text);
    assert_eq!(config.include_problems().count(), 0);
    let http = config.top().find(|block| block.is("http"));
    assert_eq!(http.expect("a block").visibility(), Visibility::Partial);
    let there = folder(&[("there/readme", "")]);
    let text = format!(
        "events {{}} http {{ include {}/there/*.conf; }}",
        there.path().display()
    );
    let config = single(&text);
    let http = config.top().find(|block| block.is("http"));
    assert_eq!(http.expect("a block").visibility(), Visibility::Whole);
}
