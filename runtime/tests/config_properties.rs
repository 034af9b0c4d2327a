//! Units survive writing and reading; the environment wins over the file, the file over the default, whatever is
//! written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use runtime::config::{Origin, Secret, Size, Span, load};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    part: Part,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Part {
    count: u32,
    wait: Span,
    names: Vec<String>,
    on: bool,
    password: Secret,
}

impl Default for Part {
    fn default() -> Self {
        Self { count: 7, wait: Span::from_secs(1), names: Vec::new(), on: false, password: Secret::default() }
    }
}

/// What one layer writes: each setting or not.
#[derive(Clone, Debug, Default)]
struct Layer {
    count: Option<u32>,
    wait: Option<u64>,
    names: Option<Vec<String>>,
    on: Option<bool>,
    password: Option<String>,
}

fn layer() -> impl Strategy<Value = Layer> {
    let names = prop::collection::vec("[a-z0-9:.]{1,8}", 0..4);
    let parts =
        (any::<Option<u32>>(), prop::option::of(0..10_000_000_u64), prop::option::of(names), any::<Option<bool>>());
    (parts, prop::option::of("[ -~&&[^\"\\\\]]{1,12}")).prop_map(|((count, wait, names, on), password)| Layer {
        count,
        wait,
        names,
        on,
        password,
    })
}

impl Layer {
    fn toml(&self) -> String {
        let mut text = "[part]\n".to_owned();
        let mut line = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                text.push_str(&format!("{key} = {value}\n"));
            }
        };
        line("count", self.count.map(|count| count.to_string()));
        line("wait", self.wait.map(|millis| format!("\"{millis}ms\"")));
        line("names", self.names.as_ref().map(|names| format!("{names:?}")));
        line("on", self.on.map(|on| on.to_string()));
        line("password", self.password.as_ref().map(|password| format!("\"{password}\"")));
        text
    }

    fn variables(&self) -> Vec<(String, String)> {
        let all = [
            ("COUNT", self.count.map(|count| count.to_string())),
            ("WAIT", self.wait.map(|millis| format!("{millis}ms"))),
            ("NAMES", self.names.as_ref().map(|names| names.join(","))),
            ("ON", self.on.map(|on| on.to_string())),
            ("PASSWORD", self.password.clone()),
        ];
        all.into_iter().filter_map(|(key, value)| Some((format!("COMBOIO_PART__{key}"), value?))).collect()
    }

    fn over(&self, below: &Part) -> Part {
        Part {
            count: self.count.unwrap_or(below.count),
            wait: self.wait.map_or(below.wait, Span::from_millis),
            names: self.names.clone().unwrap_or_else(|| below.names.clone()),
            on: self.on.unwrap_or(below.on),
            password: self.password.clone().map_or_else(|| below.password.clone(), Secret::new),
        }
    }
}

proptest! {
    #[test]
    fn layers_win_in_order_and_each_origin_is_right(file in layer(), env in layer()) {
        let written = tempfile::NamedTempFile::new().unwrap();
        fs::write(written.path(), file.toml()).unwrap();
        let loaded = load::<Raw>(Some(written.path()), env.variables().into_iter()).unwrap();
        prop_assert_eq!(&loaded.raw.part, &env.over(&file.over(&Part::default())));
        let origin = match (env.count, file.count) {
            (Some(_), _) => Origin::Env("COMBOIO_PART__COUNT".to_owned()),
            (None, Some(_)) => Origin::File { path: written.path().to_owned(), line: 2 },
            (None, None) => Origin::Default,
        };
        prop_assert_eq!(loaded.origin("part.count"), origin);
        let shown = loaded.effective().0.into_iter().find(|setting| setting.key == "part.password").unwrap().value;
        let expected = if loaded.raw.part.password.is_empty() { "" } else { "***" };
        prop_assert_eq!(shown, expected);
    }

    #[test]
    fn a_span_is_read_as_it_was_written(nanos in any::<u64>()) {
        let text = format!("{nanos}ns");
        let span: Span = text.parse().unwrap();
        prop_assert_eq!(span.get(), Duration::from_nanos(nanos));
        prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
    }

    #[test]
    fn a_size_is_read_as_it_was_written(bytes in any::<u64>()) {
        let size = Size::from_bytes(bytes);
        prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        let json = serde_json::to_string(&size).unwrap();
        prop_assert_eq!(serde_json::from_str::<Size>(&json).unwrap(), size);
    }

    #[test]
    fn fractions_are_exact(millis in 0_u64..1_000_000_000) {
        let text = format!("{}.{:03}s", millis / 1_000, millis % 1_000);
        prop_assert_eq!(text.parse::<Span>().unwrap(), Span::from_millis(millis));
    }

    #[test]
    fn no_text_makes_reading_fail_badly(text in "\\PC{0,12}", name in "[A-Z_0-9]{0,12}") {
        let _ = text.parse::<Span>();
        let _ = text.parse::<Size>();
        let env = [(format!("COMBOIO_{name}"), text)];
        let _ = load::<Raw>(None, env.into_iter());
    }
}
