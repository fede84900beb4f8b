//! What becomes of a status that nginx itself produces (`ngx_http_special_response.c`).

use super::run::{Next, Run, Status};
use super::trace::Outcome;
use super::variation::By;
use crate::config::Directive;

/// An `error_page` for a status.
struct Page<'c> {
    directive: Directive<'c>,
    uri: Vec<u8>,
    /// The status in its place: nothing without `=`, 0 when the page's own status is taken.
    overwrite: Option<u16>,
}

impl<'c> Run<'_, 'c> {
    /// `ngx_http_special_response_handler`
    pub(super) fn finalize(&mut self, status: Status) -> Next<'c> {
        let Status { code, outcome } = status;
        if code >= 400 {
            self.refused.get_or_insert(code);
        }
        if code < 300 && !matches!(code, 201 | 204) {
            // `ngx_http_finalize_request` takes it for the end of an answer that was never sent.
            return Next::Done(Outcome::Close);
        }
        if matches!(code, 444 | 408 | 499) {
            return Next::Done(Outcome::Close);
        }
        self.err_status = Some(if (494..=497).contains(&code) {
            400
        } else {
            code
        });
        if !self.error_page && self.uri_changes != 0 && self.has_error_pages() {
            if !self.scope_flag("recursive_error_pages") {
                self.error_page = true;
            }
            if let Some(page) = self.page_for(code) {
                return self.send_error_page(page);
            }
        }
        Next::Done(outcome)
    }

    fn has_error_pages(&self) -> bool {
        !self.scope.effective("error_page").directives.is_empty()
    }

    /// The first page of a status in the order of the file.
    fn page_for(&self, code: u16) -> Option<Page<'c>> {
        for directive in self.scope.effective("error_page").directives {
            let mut words: Vec<Vec<u8>> = directive
                .arguments()
                .map(|word| word.value.into_owned())
                .collect();
            let uri = words.pop()?;
            let mut overwrite = (494..=497).contains(&code).then_some(400);
            if let Some(last) = words.last().filter(|last| last.starts_with(b"=")) {
                let text = String::from_utf8_lossy(&last[1..]).into_owned();
                overwrite = Some(text.parse().unwrap_or(0));
                words.pop();
            }
            if words.iter().any(|word| word == code.to_string().as_bytes()) {
                return Some(Page {
                    directive,
                    uri,
                    overwrite,
                });
            }
        }
        None
    }

    /// `ngx_http_send_error_page`
    fn send_error_page(&mut self, page: Page<'c>) -> Next<'c> {
        let code = self.err_status.unwrap_or_default();
        if let Some(overwrite) = page.overwrite {
            self.err_status = Some(overwrite).filter(|status| *status != 0);
        }
        let mut uri = self.evaluate(&page.uri);
        self.step(
            Some(page.directive),
            format!("{code} has the error page `{}`", uri.text()),
        );
        let mark = uri.bytes.iter().position(|byte| *byte == b'?');
        if !uri.is_fixed(mark.unwrap_or(uri.bytes.len())) && !uri.bytes.starts_with(b"@") {
            self.fork(Some(page.directive), By::Other);
        }
        match uri.bytes.first() {
            Some(b'/') => {
                let args = match mark {
                    Some(mark) => uri.split_off(mark).split_off(1),
                    None => super::value::Value::default(),
                };
                if self.method != "HEAD" {
                    self.method = "GET".to_owned();
                }
                self.internal_redirect(Some(page.directive), uri, args)
            }
            Some(b'@') => Next::Named(uri, page.directive),
            _ => {
                let redirects = |status: &u16| matches!(status, 301 | 302 | 303 | 307 | 308);
                let status = page.overwrite.filter(redirects).unwrap_or(302);
                Next::Done(self.redirected(Some(page.directive), status, uri).outcome)
            }
        }
    }
}
