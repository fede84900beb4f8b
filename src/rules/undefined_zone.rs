use crate::rule::*;

rule! {
    /// A directive names a zone or a log format that nothing defines, and nginx refuses the configuration.
    ///
    /// `limit_req`, `limit_conn`, `proxy_cache` and its like only name a zone of shared memory; its size comes from
    /// `limit_req_zone`, `limit_conn_zone` or `proxy_cache_path`, and each kind of zone serves its own directives. nginx
    /// tells of one that is missing after it has read everything, as a zone of size zero and without the line.
    ///
    /// A log format is looked for at once: a `log_format` below the `access_log` that names it comes too late.
    ///
    /// ## When it is fine
    /// Never; nginx does not start. Nothing is said where a part of the configuration cannot be seen.
    ///
    /// ## Fix
    /// Unsafe: the name that is written most like it.
    category: Load,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
}

fn check(config: &Config, report: &mut Report) {
    if !config.is_whole() {
        return;
    }
    let zones = config.zones();
    for directive in config.directives() {
        let Some(undefined) = zones.undefined(directive) else {
            continue;
        };
        let name = &undefined.name;
        let is_unknown = name.has_placeholder() || config.is_called_template(name.span);
        if is_unknown || report.has(name.span) {
            continue;
        }
        let definer = &undefined.definer;
        let is_format = definer == "log_format";
        let message = match undefined.defined {
            Some(_) if is_format => format!(
                "the log format `{name}` is defined below, where nginx does not look for it"
            ),
            Some(other) if other.is(definer) => {
                format!(
                    "the zone `{name}` is one of another part of nginx than this `{}`",
                    directive.name()
                )
            }
            Some(other) => format!(
                "the zone `{name}` is one of `{}`, not of `{definer}`",
                other.name()
            ),
            None if is_format => format!("no `log_format` defines `{name}`"),
            None if definer == "zone" => format!("no upstream gives the zone `{name}` a size"),
            None => format!("no `{definer}` defines the zone `{name}`"),
        };
        let finding = report.at(name.span, message);
        finding.here("nginx refuses this");
        if let Some(other) = undefined.defined {
            finding.label(other.span(), "defined here");
        }
        match &undefined.meant {
            Some(meant) => {
                let edit = name.rewrite(meant);
                finding
                    .help(format!("Did you mean `{meant}`?"))
                    .fix(format!("write `{meant}`"), edit);
            }
            None if is_format && undefined.defined.is_some() => {
                finding.help("Put the `log_format` above everything that uses it.");
            }
            None => {
                finding.help(help(definer));
            }
        }
    }
}

fn help(definer: &str) -> &'static str {
    match definer {
        "limit_req_zone" => {
            "In `http`: `limit_req_zone $binary_remote_addr zone=NAME:10m rate=10r/s;`"
        }
        "limit_conn_zone" => {
            "In `http` or `stream`: `limit_conn_zone $binary_remote_addr zone=NAME:10m;`"
        }
        "log_format" => {
            "The format follows the path, before all parameters; `log_format` defines one in `http` or `stream`."
        }
        "zone" => "A size follows the name: `zone NAME 64k;`",
        _ => "In `http`, by its `keys_zone=NAME:10m`; `off` switches the cache off.",
    }
}
