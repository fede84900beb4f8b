//! How long it takes to prove which URIs each location of a server receives.

use divan::Bencher;
use nginspect::config::{Config, LoadOptions, Root, load};
use nginspect::routing::Choice;
use nginspect::urispace::{Found, Goal, Space};

fn main() {
    divan::main();
}

fn config(locations: &str) -> Config {
    let path = std::path::PathBuf::from("/nowhere/nginx.conf");
    let mut options = LoadOptions::default();
    let text = format!("events {{ }} http {{ server {{\n{locations}}} }}");
    options
        .files
        .buffers
        .insert(path.clone(), text.into_bytes());
    load(&Root::File(path), &options).expect("a configuration")
}

/// Analyses every location of a server; `expected` tells how many no URI reaches.
fn analyse(bencher: Bencher, locations: &str, expected: usize) {
    let config = config(locations);
    let server = config.servers().next().expect("a server");
    let level = server.directive.locations();
    bencher.bench_local(|| {
        let mut space = Space::new(&[level]);
        let mut unreachable = 0;
        for location in level.iter() {
            match space.find(&Goal::client(Choice::Location(location))) {
                Found::Uri(_) => {}
                Found::Nothing(_) => unreachable += 1,
                Found::Unknown(why) => panic!("{why}"),
            }
        }
        assert_eq!(unreachable, expected);
    });
}

/// A usual site.
const TYPICAL: &str = r#"
location / { try_files $uri $uri/ /index.php?$args; }
location = /robots.txt { log_not_found off; }
location ^~ /.well-known/acme-challenge/ { root /srv/acme; }
location ~ /\. { deny all; }
location ~* \.(?:css|js|gif|jpe?g|png|svg|woff2?)$ { expires 30d; }
location ~ ^/wp-content/uploads/.*\.php$ { deny all; }
location ~ \.php$ { fastcgi_pass 127.0.0.1:9000; }
location /api/ { proxy_pass http://127.0.0.1:8000; }
location /api/ws/ { proxy_pass http://127.0.0.1:8000; }
location ~ ^/old/(.*)$ { return 301 /new/$1; }
"#;

#[divan::bench]
fn ten_typical_locations(bencher: Bencher) {
    analyse(bencher, TYPICAL, 0);
}

#[divan::bench]
fn thirty_unanchored_regexes(bencher: Bencher) {
    let words = ["alpha", "beta", "gamma", "delta", "omega", "sigma"];
    let mut text = String::from("location / { }\n");
    for number in 0..30 {
        let (one, other) = (words[number % 6], words[(number / 6 + number) % 6]);
        text += &format!("location ~ {one}.*{other}{number}[a-f0-9]*\\.x?$ {{ }}\n");
    }
    analyse(bencher, &text, 0);
}

fn prefixes(number: usize) -> String {
    let line = |number: usize| {
        let (team, app) = (number % 40, number / 40);
        format!("location /team-{team}/service-{app}/ {{ proxy_pass http://127.0.0.1:8000; }}\n")
    };
    (0..number).map(line).collect()
}

#[divan::bench]
fn thousand_prefixes_and_two_hundred_regexes(bencher: Bencher) {
    let mut text = prefixes(1_000);
    for number in 0..200 {
        text += &match number % 4 {
            0 => format!("location ~ ^/v{number}/(?:users|orders)/[0-9]+$ {{ }}\n"),
            1 => format!("location ~* \\.ext{number}$ {{ }}\n"),
            2 => format!("location ~ ^/team-\\d+/legacy{number}/ {{ }}\n"),
            _ => format!("location ~ /private{number}/.*\\.cgi$ {{ }}\n"),
        };
    }
    analyse(bencher, &text, 0);
}

#[divan::bench]
fn thousand_prefixes_alone(bencher: Bencher) {
    analyse(bencher, &prefixes(1_000), 0);
}

#[divan::bench]
fn two_hundred_covered_regexes(bencher: Bencher) {
    let mut text = prefixes(1_000);
    for number in 0..100 {
        text += &format!("location ~ \\.ext{number}z {{ }}\n");
    }
    for number in 0..100 {
        text += &format!("location ~ /x/.*\\.ext{number}z$ {{ }}\n");
    }
    analyse(bencher, &text, 100);
}
