//! The phases before the content: limits, `allow` and `deny`, `auth_basic`, `auth_request`.

use super::assumption::About;
use super::run::{Next, Run, Status};
use super::tables::network;
use super::trace::Outcome;
use super::value::Value;

/// What a check says.
enum Verdict {
    /// It has nothing to say.
    Declined,
    Allowed,
    Refused(Status),
}

impl<'c> Run<'_, 'c> {
    /// Runs `ngx_http_core_access_phase` for each check; the status says who is refused.
    pub(super) fn access(&mut self) -> Option<Status> {
        for limit in ["limit_req", "limit_conn"] {
            if let Some(directive) = self.scope.effective(limit).directive() {
                let text = format!("the {limit} at {} is not reached", self.place(directive));
                self.assume_about(About::Outside, text);
            }
        }
        if self.is_subrequest || self.supposed.is_let_in {
            return None;
        }
        let satisfy = self.scope.effective("satisfy").directive();
        let any = satisfy
            .and_then(|satisfy| satisfy.argument(0))
            .is_some_and(|word| word.eq_ignore_ascii_case(b"any"));
        let mut refused: Option<Status> = None;
        let checks: [fn(&mut Self) -> Verdict; 3] =
            [Self::addresses, Self::password, Self::subrequest];
        for check in checks {
            match check(self) {
                Verdict::Declined => {}
                Verdict::Allowed if any => return None,
                Verdict::Allowed => {}
                Verdict::Refused(status) if any && matches!(status.code, 401 | 403) => {
                    if refused.as_ref().is_none_or(|known| known.code != 401) {
                        refused = Some(status);
                    }
                }
                Verdict::Refused(status) => return Some(status),
            }
        }
        refused
    }

    /// `ngx_http_access_handler`
    fn addresses(&mut self) -> Verdict {
        for rule in self.scope.access_rules() {
            let Some(word) = rule.argument(0) else {
                continue;
            };
            let text = word.text().into_owned();
            let hit = match (text.as_str(), self.request.client) {
                ("all", _) => true,
                ("unix:", _) => false,
                (network_text, Some(client)) => network(network_text, client).is_some(),
                (network_text, None) => {
                    let text = format!("the client's address is not in {network_text}");
                    self.assume_about(About::Outside, text);
                    false
                }
            };
            if !hit {
                continue;
            }
            if rule.is("allow") {
                return Verdict::Allowed;
            }
            self.step(Some(rule), "the client's address is refused");
            return Verdict::Refused(Status::reject(403));
        }
        Verdict::Declined
    }

    /// `ngx_http_auth_basic_handler`
    fn password(&mut self) -> Verdict {
        let Some(realm) = self.scope.effective("auth_basic").directive() else {
            return Verdict::Declined;
        };
        let file = self.scope.effective("auth_basic_user_file").directive();
        let Some(word) = realm.argument(0).filter(|_| file.is_some()) else {
            return Verdict::Declined;
        };
        let name = self.evaluate(&word);
        self.decide_by(realm, &name);
        if name.bytes == b"off" && name.is_known() {
            return Verdict::Declined;
        }
        let given = self.header("authorization");
        let basic = |given: &[u8]| given.len() > 6 && given[..6].eq_ignore_ascii_case(b"basic ");
        if given.is_some_and(basic) {
            self.assume_about(About::Outside, "the user and the password are right");
            return Verdict::Allowed;
        }
        self.step(Some(realm), "a user and a password are wanted");
        Verdict::Refused(Status::reject(401))
    }

    /// `ngx_http_auth_request_handler`
    fn subrequest(&mut self) -> Verdict {
        let Some(asked) = self.scope.effective("auth_request").directive() else {
            return Verdict::Declined;
        };
        let Some(uri) = asked.argument(0).filter(|word| *word != "off") else {
            return Verdict::Declined;
        };
        let answer = self.ask(uri.value.into_owned());
        let status = match &answer {
            Outcome::Return { .. } | Outcome::Reject { .. } | Outcome::Error { .. } => {
                answer.status()
            }
            _ => None,
        };
        let shown = asked
            .argument(0)
            .map(|word| word.text().into_owned())
            .unwrap_or_default();
        let Some(status) = status else {
            self.step(
                Some(asked),
                format!("`{shown}` is asked whether the request is let in"),
            );
            let text = format!("`{shown}` answers with a status from 200 to 299");
            self.assume_about(About::Outside, text);
            return Verdict::Allowed;
        };
        self.step(
            Some(asked),
            format!("`{shown}` answers the question whether it is let in with {status}"),
        );
        match status {
            200..=299 => Verdict::Allowed,
            401 | 403 => Verdict::Refused(Status::reject(status)),
            _ => Verdict::Refused(Status::error(
                500,
                format!("`{shown}` answers with {status}"),
            )),
        }
    }

    /// What a subrequest comes to (`ngx_http_subrequest`); no check asks for another one in it.
    fn ask(&mut self, uri: Vec<u8>) -> Outcome {
        let mut other = self.subrequest_of();
        other.uri = Value::new(uri);
        let outcome = other.phases(Next::ServerRewrite);
        self.learn_from(other);
        outcome
    }
}
