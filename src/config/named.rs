//! Named locations: what leads to them, and which there are.

use super::{Directive, Location, Modifier, Server, Word};

impl<'c> Directive<'c> {
    /// The `@name` that nginx goes on at by this directive (`ngx_http_named_location`): the last argument of `try_files` or
    /// `error_page`; nothing for one that is made of variables.
    pub fn named_target(self) -> Option<Word<'c>> {
        if !self.is("try_files") && !self.is("error_page") {
            return None;
        }
        let last = self.arguments().next_back()?;
        let is_name = last.starts_with(b"@") && last.len() > 1;
        let is_alone = self.argument(1).is_none();
        (is_name && !is_alone && !last.has_variables() && !last.has_placeholder()).then_some(last)
    }

    /// The servers in which this directive is in effect somewhere: the one that it stands in, or those that take it from
    /// the http level and do not only redirect.
    fn servers_in_effect(self) -> Vec<Server<'c>> {
        let around = self.ancestors().find(|block| block.is("server"));
        if let Some(server) = around {
            return vec![Server::new(server)];
        }
        let servers = self.config.servers();
        servers
            .filter(|server| server.directive.own("return").next().is_none())
            .filter(|server| {
                let mut blocks = server.directive.locations().iter();
                let inherits = |block: Self| {
                    block
                        .effective(&self.name().text())
                        .directives
                        .contains(&self)
                };
                let catches_all = server
                    .directive
                    .locations()
                    .named(b"/")
                    .any(|all| all.is_prefix());
                inherits(server.directive)
                    && (!catches_all || blocks.any(|inner| inherits(inner.directive)))
            })
            .collect()
    }

    /// The first server in which this directive leads to a named location that is not there; nothing where a part of a
    /// server was not read.
    pub fn server_without_target(self) -> Option<Server<'c>> {
        let name = self.named_target()?;
        let lacks = |server: &Server<'c>| {
            !server.directive.is_incomplete() && server.named_location(&name).is_none()
        };
        self.servers_in_effect().into_iter().find(lacks)
    }
}

impl<'c> Server<'c> {
    /// The named location of this name, `@` included; of two equal ones the first, as nginx takes it.
    pub fn named_location(self, name: &[u8]) -> Option<Location<'c>> {
        let mut found = self.directive.locations().named(name);
        found.find(|location| location.modifier == Modifier::Named)
    }

    /// Its named locations, in file order.
    pub fn named_locations(self) -> impl Iterator<Item = Location<'c>> {
        let all = self.directive.locations().iter();
        all.filter(|location| location.modifier == Modifier::Named)
    }
}
