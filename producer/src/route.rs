//! Route: which topic an event goes to, by its codigo; the first match wins.
//!
//! *In*: a chunk of events. *Out*: the same events, each with the number of its topic; those that no route holds are taken out and told.
//! *Never*: guesses a topic. A generator with a code that no route holds is a wrong configuration; a replayed event without a
//! route is rejected and set aside.

use crate::chunk::{Chunk, Item};
use domain::route::{CodigoSet, Routes};
use serde::{Deserialize, Serialize};

/// One `[[routes]]` entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteRaw {
    /// `"300"`, `"400-499"`, `"100,200,300-399"` or `"*"`.
    pub codigo: CodigoSet,
    pub topic: String,
}

/// The routes, with their topics numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Router {
    routes: Routes<u16>,
    topics: Vec<String>,
}

impl Router {
    /// Numbers the topics in the order in which they are first named.
    pub fn new(raw: &[RouteRaw]) -> Self {
        let mut topics: Vec<String> = Vec::new();
        let mut rules = Vec::new();
        for route in raw {
            let known = topics.iter().position(|topic| *topic == route.topic);
            let number = known.unwrap_or_else(|| {
                topics.push(route.topic.clone());
                topics.len() - 1
            });
            rules.push((route.codigo.clone(), number as u16));
        }
        Self { routes: Routes::new(rules), topics }
    }

    /// All topics; an event's topic number is a place in this list.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The topic's number for `codigo`.
    pub fn find(&self, codigo: u32) -> Option<u16> {
        self.routes.find(codigo).copied()
    }

    /// Routes every event; one without a route leaves the chunk through `unroutable`, with its value.
    pub fn route(&self, chunk: &mut Chunk, mut unroutable: impl FnMut(&Item, &[u8])) {
        let mut complete = true;
        chunk.each(|item, _| match self.find(item.codigo) {
            Some(topic) => item.topic = topic,
            None => complete = false,
        });
        if complete {
            return;
        }
        chunk.retain(|item, bytes| {
            let has_route = self.find(item.codigo).is_some();
            if !has_route {
                unroutable(item, item.value.of(bytes));
            }
            has_route
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{RouteRaw, Router};
    use crate::chunk::{Chunk, Item, Text};
    use crate::ticket::Ticket;
    use std::time::Duration;

    fn item(codigo: u32, chunk: &mut Chunk) -> Item {
        let value = chunk.write(|buffer| buffer.extend_from_slice(codigo.to_string().as_bytes()));
        Item {
            due: Duration::ZERO,
            ts: 0,
            codigo,
            truck: Text::default(),
            value,
            series: 0,
            seq: 1,
            invalid_id: None,
            ticket: Ticket::NONE,
            intent: Default::default(),
            topic: 9,
            key: Text::default(),
        }
    }

    #[test]
    fn events_get_their_topic_and_strangers_are_told() {
        let raw = |codigo: &str, topic: &str| RouteRaw { codigo: codigo.parse().unwrap(), topic: topic.into() };
        let router = Router::new(&[raw("911", "prio"), raw("400-499", "hot"), raw("500", "prio")]);
        assert_eq!(router.topics(), ["prio", "hot"]);
        let mut chunk = Chunk::default();
        for codigo in [400, 7, 500, 911, 8] {
            let item = item(codigo, &mut chunk);
            chunk.push(item);
        }
        let mut strangers = Vec::new();
        router.route(&mut chunk, |item, value| strangers.push((item.codigo, value.to_vec())));
        assert_eq!(chunk.items().iter().map(|item| item.topic).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(strangers, [(7, b"7".to_vec()), (8, b"8".to_vec())]);
        assert_eq!(chunk.value_bytes(), 9);
    }
}
