use crate::rule::*;

rule! {
    /// The sizes of a handler's buffers do not go together.
    ///
    /// A response's header goes into `proxy_buffer_size`, its body into `proxy_buffers`, and while nginx still reads, up to
    /// `proxy_busy_buffers_size` of it may be on the way to the client: at least one whole buffer, and at most all of
    /// `proxy_buffers` but one. Unless set, it is twice the largest buffer, so that a large `proxy_buffer_size` alone makes
    /// it too large. The same goes for `fastcgi_`, `uwsgi_` and `scgi_`.
    ///
    /// ## When it is fine
    /// Never; nginx does not start. The defaults are taken to be those of a machine whose memory pages have 4 KiB, as nearly
    /// all have.
    ///
    /// ## Fix
    /// Unsafe: `proxy_buffers` that leave room, where only `proxy_buffer_size` is set. They take more memory.
    category: Load,
    severity: Error,
    fix: Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_busy_buffers_size",
}

fn check(config: &Config, report: &mut Report) {
    for clash in config.buffer_clashes() {
        let Some((last, others)) = clash.directives.split_last() else {
            continue;
        };
        if report.has(last.span()) {
            continue;
        }
        let finding = report.at(last.span(), clash.problem);
        finding
            .here("with this, nginx does not start")
            .given(clash.visibility)
            .help("The buffers are compared where they are in effect, so that one that is set further out counts too.");
        for other in others {
            finding.label(other.span(), "counts too");
        }
        if let Some(line) = clash.remedy {
            let title = format!("add `{line}`");
            finding.fix(title, [last.append_lines(&[&line])]);
        }
    }
}
