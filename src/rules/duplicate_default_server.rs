use crate::rule::*;

rule! {
    /// Two `listen` want the same of one socket, and nginx refuses the second.
    ///
    /// A socket has one default server. One server names it once. Parameters of the socket itself, such as `backlog=`,
    /// `reuseport`, `ipv6only=` or `bind`, stand at one `listen` and hold for every server there. `80`, `*:80` and
    /// `0.0.0.0:80` are one socket, `[::]:80` is another.
    ///
    /// In `mail`, and in `stream` before nginx 1.25.5, a socket belongs to one server.
    ///
    /// ## When it is fine
    /// Never; nginx does not start.
    ///
    /// ## Fix
    /// None: say it once.
    category: Load,
    severity: Error,
    fix: None,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_core_module.html#listen",
}

fn check(config: &Config, report: &mut Report) {
    let told = config.told_version();
    let is_old = told.is_some_and(|told| told < Version(1, 25, 5));
    for (servers, belongs_to_one) in [
        (Contexts::SERVER, false),
        (Contexts::STREAM_SERVER, is_old),
        (Contexts::MAIL_SERVER, true),
    ] {
        for listening in config.listening(servers) {
            for (clash, first, second) in listening.clashes(belongs_to_one) {
                let socket = &listening.socket;
                let problem = match clash {
                    Clash::SameServer => format!("this server listens on `{socket}` already"),
                    Clash::OtherServer => format!("another server listens on `{socket}`"),
                    Clash::Options => {
                        format!("parameters of the socket `{socket}` are set already")
                    }
                    Clash::Default => format!("`{socket}` has a default server already"),
                };
                explain(config, report, first, second, &problem);
            }
        }
    }
}

fn explain(config: &Config, report: &mut Report, first: &Use<'_>, second: &Use<'_>, problem: &str) {
    let (place, earlier) = (second.directive.span(), first.directive.span());
    if report.has(place) {
        return;
    }
    if place == earlier {
        report
            .at(place, format!("{problem}: this line is included twice"))
            .here("nginx refuses the second");
        return;
    }
    let line = config.place(earlier, place);
    report
        .at(place, format!("{problem}, on {line}"))
        .here("nginx refuses this")
        .label(earlier, "the first");
}
