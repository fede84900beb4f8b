//! `test`: what each statement comes to, how that is printed, and what is wrong with files of statements.

use super::*;

use serde_json::Value;

const SHOP: &str = "\
events {}
http {
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    upstream api { server 127.0.0.1:8000; }
    server {
        listen 80;
        server_name plain.example;
        return 301 https://shop.example$request_uri;
    }
    server {
        listen 80;
        server_name shop.example;
        root /srv/www;
        location / {
            try_files $uri $uri/ /index.html;
        }
        location /api/ {
            proxy_pass http://api/v1/;
            proxy_set_header Host $host;
            proxy_set_header X-Path $uri;
            proxy_set_header X-Id $request_id;
            proxy_set_header Accept '';
        }
        location /raw/ {
            proxy_pass http://api;
        }
        location /ws/ {
            proxy_pass http://api;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 1h;
        }
        location /static/ { alias /srv/static/; }
        location /app/ {
            fastcgi_pass unix:/run/app.sock;
            fastcgi_param SCRIPT_FILENAME /srv/app.php;
            fastcgi_read_timeout 5s;
        }
        location /by-query/ {
            if ($arg_debug) { return 403; }
            proxy_pass http://api;
        }
        location /mixed/ {
            proxy_pass http://api;
            location ~ \\.php$ { return 404; }
        }
        location /old/ { rewrite ^/old/(.*)$ /new/$1 permanent; }
        location /elsewhere/ {
            rewrite ^/nowhere/ /x last;
            return 404;
        }
        location = /one { return 301 /two; }
        location /index/ { index /kept/x; }
        location = /gone { return 444; }
        location ^~ /kept/ { return 204; }
        location /from/ { allow 10.0.0.0/8; deny all; return 403; }
        location /for/ { allow 10.0.0.0/8; deny all; proxy_pass http://api; }
    }
}
";

impl Tree {
    /// Runs `test` over files of the tree; names in the output lose the folder.
    fn test(&self, flags: &[&str], names: &[&str]) -> Outcome {
        let flags = ["test"].into_iter().chain(flags.iter().copied());
        let names = names.iter().map(|name| self.path(name));
        let mut outcome = nginspect(flags.map(PathBuf::from).chain(names), b"");
        let folder = format!("{}/", self.0.path().display());
        for text in [&mut outcome.stdout, &mut outcome.stderr, &mut outcome.shown] {
            *text = text.replace(&folder, "");
        }
        outcome
    }
}

fn shop(routes: &str) -> Tree {
    Tree::new(&[("nginx.conf", SHOP), ("routes.toml", routes)])
}

/// What a statement comes to: `held`, `failed` with what is instead, or `undecided` with the reason.
fn result(statement: &str) -> String {
    let file = format!("server = \"http://shop.example\"\n[[route]]\n{statement}\n");
    let outcome = shop(&file).test(&["--format", "json"], &["routes.toml"]);
    let document: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|_| panic!("{statement}\n{}", outcome.shown));
    let route = &document["routes"][0];
    let result = route["result"].as_str().expect("a result");
    let told = route["expectations"]
        .as_array()
        .expect("expectations")
        .iter()
        .filter_map(|one| one["actual"].as_str().or(one["reason"].as_str()));
    std::iter::once(result)
        .chain(told)
        .collect::<Vec<_>>()
        .join(": ")
}

#[test]
fn each_expectation_holds_or_fails() {
    for (statement, expected) in [
        (
            "request = '/api/x?y'\nexpect.url = 'http://api/v1/x?y'",
            "held",
        ),
        (
            "request = '/api/x'\nexpect.url = 'http://api/api/x'",
            "failed: http://api/v1/x",
        ),
        ("request = '/one'\nexpect.url = false", "held"),
        (
            "request = '/one'\nexpect.url = 'http://api/'",
            "failed: answered with 301 to http://shop.example/two",
        ),
        (
            "request = '/app/x'\nexpect.url = 'fastcgi://unix:/run/app.sock'",
            "held",
        ),
        ("request = '/api/x'\nexpect.location = '/api/'", "held"),
        ("request = '/one'\nexpect.location = '=   /one'", "held"),
        ("request = '/kept/x'\nexpect.location = '/kept/'", "held"),
        ("request = '/kept/x'\nexpect.location = '^~ /kept/'", "held"),
        (
            "request = '/mixed/x.php'\nexpect.location = '~ \\.php$'",
            "held",
        ),
        (
            "request = '/mixed/x.php'\nexpect.location = '/mixed/'",
            "failed: ~ \\.php$",
        ),
        (
            "request = 'http://plain.example/x'\nexpect.location = false",
            "held",
        ),
        ("request = '/one'\nexpect.status = 301", "held"),
        ("request = '/one'\nexpect.status = 302", "failed: 301"),
        ("request = '/gone'\nexpect.status = false", "held"),
        (
            "request = '/gone'\nexpect.status = 444",
            "failed: the connection is closed without an answer",
        ),
        (
            "request = '/api/x'\nexpect.status = 200",
            "undecided: the status is up to http://api",
        ),
        (
            "request = '/one'\nexpect.redirect = 'http://shop.example/two'",
            "held",
        ),
        (
            "request = '/one'\nexpect.redirect = false",
            "failed: http://shop.example/two",
        ),
        (
            "request = '/api'\nexpect.redirect = 'http://shop.example/api/'",
            "held",
        ),
        (
            "request = '/api/x'\nexpect.header.host = 'shop.example'",
            "held",
        ),
        (
            "request = '/raw/x'\nexpect.header.Host = 'shop.example'",
            "failed: api",
        ),
        (
            "request = '/api/x'\nheaders.Accept = 'a'\nexpect.header.Accept = false",
            "held",
        ),
        (
            "request = '/api/x'\nheaders.Accept = 'a'\nexpect.header.Accept = ''",
            "held",
        ),
        (
            "request = '/raw/x'\nheaders.Accept = 'a'\nexpect.header.Accept = 'a'",
            "held",
        ),
        (
            "request = '/raw/x'\nexpect.header.X-None = 'a'",
            "failed: none is sent",
        ),
        (
            "request = '/api/x'\nexpect.header.X-Id = '$request_id'",
            "held",
        ),
        (
            "request = '/one'\nexpect.header.Host = false",
            "failed: answered with 301 to http://shop.example/two",
        ),
        (
            "request = '/app/x'\nexpect.param.SCRIPT_FILENAME = '/srv/app.php'",
            "held",
        ),
        (
            "request = '/app/x'\nexpect.param.SCRIPT_FILENAME = '/srv/x.php'",
            "failed: /srv/app.php",
        ),
        (
            "request = 'ws://shop.example/ws/1'\nexpect.websocket = true",
            "held",
        ),
        (
            "request = 'ws://shop.example/ws/1'\nexpect.websocket = false",
            "failed: true",
        ),
        (
            "request = 'ws://shop.example/one'\nexpect.websocket = false",
            "held",
        ),
        ("request = '/ws/1'\nexpect.read-timeout = '>= 1h'", "held"),
        ("request = '/ws/1'\nexpect.read-timeout = '60m'", "held"),
        (
            "request = '/raw/1'\nexpect.read-timeout = '> 60s'",
            "failed: 60s",
        ),
        ("request = '/app/1'\nexpect.read-timeout = '< 10s'", "held"),
        (
            "request = '/one'\nexpect.read-timeout = '60s'",
            "failed: answered with 301 to http://shop.example/two",
        ),
        (
            "request = '/static/a.js'\nexpect.file = '/srv/static/a.js'",
            "held",
        ),
        (
            "request = '/static/a.js'\nexpect.file = '/srv/www/a.js'",
            "failed: /srv/static/a.js",
        ),
        (
            "request = '/static/a.js'\nmissing = ['/srv/static/a.js']\nexpect.file = '/srv/static/a.js'",
            "failed: answered with 404 for the file /srv/static/a.js",
        ),
        ("request = '/static/a.js'\nexpect.file = false", "undecided"),
        (
            "request = 'https://shop.example/one'\nexpect.status = 301",
            "held",
        ),
        (
            "request = '/one'\nmethod = 'POST'\nexpect.status = 301",
            "held",
        ),
    ] {
        let found = result(statement);
        let same = match expected {
            "undecided" => found.starts_with(expected),
            expected => found == expected,
        };
        assert!(
            same,
            "{statement}\n  expected {expected}\n  found    {found}"
        );
    }
}

#[test]
fn what_rests_on_files_is_undecided_until_they_are_told() {
    for (statement, expected) in [
        ("request = '/about'\nexpect.location = '/'", "held"),
        ("request = '/about'\nexpect.status = 200", "undecided"),
        (
            "request = '/about'\nmissing = ['/srv/www/about']\nexists = ['/srv/www/index.html']\nexpect.status = 200",
            "held",
        ),
        (
            "request = '/about'\nexists = ['/srv/www/about']\nexpect.file = '/srv/www/about'",
            "held",
        ),
        (
            "request = '/about'\nexists = ['/srv/www/about/']\nexpect.status = 301",
            "held",
        ),
        ("request = '/about'\nexpect.url = false", "held"),
    ] {
        let found = result(statement);
        assert!(found.starts_with(expected), "{statement}\n{found}");
    }
}

#[test]
fn a_client_is_in_no_network_unless_it_is_told() {
    assert_eq!(result("request = '/for/x'\nexpect.status = 403"), "held");
    let inside = "request = '/for/x'\nclient = '10.1.2.3'\nexpect.url = 'http://api/for/x'";
    assert_eq!(result(inside), "held");
    let first = "request = '/from/x'\nclient = '10.1.2.3'\nexpect.status = 403";
    assert_eq!(result(first), "held");
}

#[test]
fn what_holds_below_a_path_is_proved() {
    for (statement, expected) in [
        (
            "under = '/api/'\nexpect.location = '/api/'\nexpect.url = 'http://api/v1/*'",
            "held",
        ),
        (
            "under = '/api/users/'\nexpect.url = 'http://api/v1/users/*'",
            "held",
        ),
        (
            "under = '/api/'\nexpect.url = 'http://api/*'",
            "failed: http://api/v1/*",
        ),
        (
            "under = '/api/'\nexpect.url = 'http://api/v1/x'",
            "failed: http://api/v1/*",
        ),
        (
            "under = '/api/'\nexpect.header.Host = 'shop.example'\nexpect.read-timeout = '60s'",
            "held",
        ),
        (
            "under = '/api/'\nexpect.header.X-Path = '/api/'",
            "undecided: it holds something of the path or the query",
        ),
        (
            "under = '/raw/a%20b'\nexpect.url = 'http://api/raw/a%20b*'",
            "held",
        ),
        (
            "under = 'ws://shop.example/ws/'\nexpect.websocket = true\nexpect.read-timeout = '1h'",
            "held",
        ),
        (
            "under = '/static/'\nexpect.location = '/static/'\nexpect.url = false",
            "held",
        ),
        (
            "under = '/static/'\nexpect.status = 200",
            "undecided: it holds where the file /srv/static/… exists",
        ),
        ("under = '/pages/'\nexpect.location = '/'", "held"),
        (
            "under = 'http://plain.example/'\nexpect.status = 301\nexpect.redirect = 'https://shop.example/*'",
            "held",
        ),
        (
            "under = 'http://plain.example/a/'\nexpect.redirect = 'https://shop.example/a/*'",
            "held",
        ),
        (
            "under = 'http://plain.example/'\nexpect.redirect = 'https://plain.example/*'",
            "failed: https://shop.example/*",
        ),
        (
            "under = '/app/'\nexpect.url = 'fastcgi://unix:/run/app.sock'\nexpect.param.SCRIPT_FILENAME = '/srv/app.php'",
            "held",
        ),
        (
            "under = '/mixed/'\nexpect.location = '/mixed/'",
            "failed: ~ \\.php$",
        ),
        ("under = '/kept/'\nexpect.status = 204", "held"),
        ("under = '/elsewhere/'\nexpect.status = 404", "held"),
        // What ends with a slash goes another way than the rest.
        (
            "under = '/index/'\nexpect.location = '/index/'",
            "failed: ^~ /kept/",
        ),
        ("under = '/one'\nexpect.status = 302", "failed"),
        ("under = '/'\nexpect.location = '/'", "failed"),
    ] {
        let found = result(statement);
        let same = match expected {
            "failed" => found.starts_with(expected),
            expected => found == expected,
        };
        assert!(
            same,
            "{statement}\n  expected {expected}\n  found    {found}"
        );
    }
    // nginx decides in the middle of these.
    for (statement, by) in [
        (
            "under = '/by-query/'\nexpect.url = 'http://api/by-query/*'",
            "`if ($arg_debug)` at",
        ),
        (
            "under = '/old/'\nexpect.status = 301",
            "`rewrite ^/old/(.*)$ /new/$1 permanent` at",
        ),
    ] {
        let found = result(statement);
        assert!(
            found.starts_with("undecided: ") && found.contains(by),
            "{statement}\n{found}"
        );
    }
}

#[test]
fn the_route_of_the_old_example_file_is_answered_by_the_front_end() {
    let folder = "fixtures/incidents/dev-server-port";
    let outcome = nginspect(["test", &format!("{folder}/routes.toml")], b"");
    assert_eq!(outcome.code, FOUND);
    insta::assert_snapshot!(outcome.shown);
}

#[test]
fn programs_get_one_document() {
    let outcome = nginspect(
        [
            "test",
            "--format",
            "json",
            "fixtures/assertions/routes.toml",
        ],
        b"",
    );
    assert_eq!(outcome.code, FOUND);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("JSON"));
}

#[test]
fn a_pipeline_gets_a_test_for_each_statement() {
    let outcome = nginspect(
        [
            "test",
            "--format",
            "junit",
            "fixtures/assertions/routes.toml",
        ],
        b"",
    );
    assert_eq!(outcome.code, FOUND);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn every_mistake_in_a_file_is_told() {
    let tree = shop(
        r#"
serer = "http://shop.example"
expect.status = 301
client = "nobody"
[[route]]
request = "/one"
expect.status = 301
[[route]]
request = "http://shop.example/one"
under = "/x"
expect.stauts = 301
[[route]]
name = "nothing"
[[route]]
request = "http://shop.example/"
[[route]]
request = "ftp://shop.example/"
expect.status = 1000
[[route]]
under = "http://shop.example/?x"
expect.websocket = true
[[route]]
request = "http://shop.example/"
status = 200
headers = ["x"]
expect.read-timeout = "soon"
expect.url = 1
expect.Header.Host = "x"
"#,
    );
    let outcome = tree.test(&[], &["routes.toml"]);
    assert_eq!(outcome.code, FAILED);
    insta::assert_snapshot!(outcome.shown);
}

#[test]
fn what_cannot_be_tested_fails() {
    let fails = |tree: &Tree, flags: &[&str], names: &[&str], why: &str| {
        let outcome = tree.test(flags, names);
        assert_fails(&outcome, why);
    };
    let good = "[[route]]\nrequest = 'http://shop.example/one'\nexpect.status = 301\n";
    let tree = shop(good);
    fails(&tree, &[], &["none.toml"], "cannot read");
    fails(
        &tree,
        &["--config", "none.conf"],
        &["routes.toml"],
        "none.conf",
    );
    fails(&tree, &[], &[], "required");
    tree.write("empty.toml", b"");
    fails(&tree, &[], &["empty.toml"], "the file states nothing");
    tree.write("broken.toml", b"[[route]\n");
    fails(&tree, &[], &["broken.toml"], "broken.toml:1");
    tree.write("bytes.toml", b"# \xff\n");
    fails(&tree, &[], &["bytes.toml"], "UTF-8");
    // The others are still told.
    let outcome = tree.test(&[], &["empty.toml", "routes.toml"]);
    assert_eq!(outcome.code, FAILED);
    assert!(outcome.stdout.contains("1 ok"), "{}", outcome.shown);
    // A request that nginx does not get is a statement that does not hold.
    tree.write(
        "nginx.conf",
        b"events {} http { server { listen 443 ssl; } }",
    );
    let outcome = tree.test(&[], &["routes.toml"]);
    assert_eq!(outcome.code, FOUND);
    assert!(
        outcome
            .stdout
            .contains("no answer: no server listens at port 80"),
        "{}",
        outcome.shown
    );
}

#[test]
fn files_are_held_against_the_configuration_beside_them() {
    let route = "[[route]]\nrequest = 'http://x/'\nexpect.status = 200\n";
    let other = |status: u16| format!("events {{}} http {{ server {{ return {status}; }} }}");
    let tree = Tree::new(&[
        ("a/nginx.conf", &other(200)),
        ("a/routes.toml", route),
        ("b/nginx.conf", &other(404)),
        ("b/routes.toml", route),
    ]);
    let names = ["a/routes.toml", "b/routes.toml"];
    let outcome = tree.test(&[], &names);
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    assert!(outcome.stdout.contains("2 routes: 1 ok, 1 failed"));
    let config = tree.path("a/nginx.conf");
    let config = config.to_str().expect("a path of ours");
    let outcome = tree.test(&["--config", config], &names);
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
}

#[test]
fn little_is_said_when_little_is_wanted() {
    let tree = shop(
        "[[route]]\nname = 'good'\nrequest = 'https://shop.example/one'\nexpect.status = 301\n\
         [[route]]\nname = 'bad'\nrequest = 'http://shop.example/one'\nexpect.status = 302\n",
    );
    let outcome = tree.test(&["-q"], &["routes.toml"]);
    assert!(
        outcome.stdout.starts_with("FAILED bad\n"),
        "{}",
        outcome.shown
    );
    assert!(!outcome.stdout.contains("good") && !outcome.stdout.contains("routes:"));
    let outcome = tree.test(&["-v"], &["routes.toml"]);
    let assumed = "assumed: TLS ends in front of nginx";
    assert!(outcome.stdout.contains(assumed), "{}", outcome.shown);
    let colored = tree.test(&["--color", "always"], &["routes.toml"]);
    assert!(colored.stdout.contains("\x1b[31mFAILED\x1b[0m"));
    let report = tree.path("report.txt");
    let output = ["--output", report.to_str().expect("a path of ours")];
    let outcome = tree.test(&output, &["routes.toml"]);
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome.stderr.contains("written to report.txt"),
        "{}",
        outcome.shown
    );
    assert!(
        fs::read_to_string(&report)
            .expect("a report")
            .contains("FAILED")
    );
    let config = tree.path("nginx.conf");
    let output = ["--output", config.to_str().expect("a path of ours")];
    assert_fails(&tree.test(&output, &["routes.toml"]), "is one of the files");
}

#[test]
fn what_was_not_read_decides_nothing() {
    let http = |inside: &str| {
        format!(
            "events {{}} http {{ server {{ server_name a; {inside} location / {{ return 204; }} }} server {{ server_name b; location / {{ return 204; }} }} }}"
        )
    };
    let statement =
        |host: &str| format!("[[route]]\nrequest = 'http://{host}/'\nexpect.status = 204\n");
    let tree = Tree::new(&[
        ("nginx.conf", &http("include /etc/no-such-folder/x.conf;")),
        ("a.toml", &statement("a")),
        ("b.toml", &statement("b")),
    ]);
    let outcome = tree.test(&[], &["a.toml"]);
    assert_eq!(outcome.code, FOUND);
    assert!(
        outcome.stdout.contains("x.conf was not read"),
        "{}",
        outcome.shown
    );
    assert_eq!(tree.test(&[], &["b.toml"]).code, CLEAN);
    // nginx does not start with this.
    tree.write("nginx.conf", http("location /x { return 1 }").as_bytes());
    let outcome = tree.test(&[], &["b.toml"]);
    assert_eq!(outcome.code, FOUND);
    assert!(
        outcome.stdout.contains("what is wrong at"),
        "{}",
        outcome.shown
    );
    // A lone server is taken to stand in an empty `http`.
    tree.write("nginx.conf", b"server { server_name a; return 204; }\n");
    assert_eq!(tree.test(&[], &["a.toml"]).code, CLEAN);
}

#[test]
fn a_file_is_drafted_once() {
    let tree = Tree::new(&[("nginx.conf", SHOP)]);
    let outcome = tree.test(&["--write"], &["routes.toml"]);
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    let drafted = fs::read_to_string(tree.path("routes.toml")).expect("a draft");
    let folder = format!("{}/", tree.0.path().display());
    insta::assert_snapshot!(drafted.replace(&folder, ""));
    assert_fails(&tree.test(&["--write"], &["routes.toml"]), "exists already");
    let outcome = tree.test(&["--write", "--force"], &["routes.toml"]);
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    assert_eq!(tree.test(&[], &["routes.toml"]).code, CLEAN);
    let two = tree.test(&["--write"], &["a.toml", "b.toml"]);
    assert_fails(&two, "writes one file");
    let own = tree.test(&["--write", "--force"], &["nginx.conf"]);
    assert_fails(&own, "is one of the files");
    assert_eq!(tree.test(&["--force"], &["routes.toml"]).code, FAILED);
}

#[test]
fn what_is_drafted_from_any_fixture_holds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let draft = folder.path().join("routes.toml");
    let draft = draft.to_str().expect("a path of ours");
    let (mut drafted, mut routes) = (0, 0);
    for config in fixtures(Path::new("fixtures")) {
        let config = config.to_str().expect("a path of ours");
        let write = ["test", "--write", "--force", "--config", config, draft];
        let outcome = nginspect(write, b"");
        if outcome.code != CLEAN {
            continue;
        }
        drafted += 1;
        let outcome = nginspect(["test", "--config", config, draft], b"");
        assert_eq!(outcome.code, CLEAN, "{config}\n{}", outcome.shown);
        routes += outcome.stdout.matches("\nok ").count();
    }
    assert!(
        drafted > 50 && routes > 200,
        "{drafted} files, {routes} routes"
    );
}

/// Every configuration in a folder.
fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of fixtures");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => fixtures(&path),
            false => vec![path],
        })
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "conf")
        })
        .collect()
}

#[test]
fn what_a_template_leaves_open_decides_nothing() {
    let tree = Tree::new(&[
        (
            "nginx.conf",
            "events {} http { server { server_name a; location / { proxy_pass \"http://{{ host }}\"; } } server { server_name b; return 204; } }",
        ),
        (
            "a.toml",
            "[[route]]\nrequest = 'http://a/'\nexpect.location = '/'\n",
        ),
        (
            "b.toml",
            "[[route]]\nrequest = 'http://b/'\nexpect.status = 204\n",
        ),
    ]);
    let outcome = tree.test(&[], &["a.toml"]);
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    assert!(
        outcome.stdout.contains("it is not known what stands for"),
        "{}",
        outcome.shown
    );
    assert_eq!(tree.test(&[], &["b.toml"]).code, CLEAN);
}
