//! One JSON object a line: `ts`, `level`, `target`, `message`, then the fields of the event and of its spans.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::chain;

/// Names of our own; a field with such a name is written as `field_<name>`.
const OURS: [&str; 4] = ["ts", "level", "target", "message"];

/// Writes events as JSON lines.
pub(super) fn layer<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    tracing_subscriber::fmt::layer().with_writer(writer).fmt_fields(JsonFields::new()).event_format(JsonLine)
}

struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields { message: String::new(), rest: span_fields(context) };
        event.record(&mut fields);
        let metadata = event.metadata();
        write!(writer, "{{\"ts\":{}", Value::from(time))?;
        write!(writer, ",\"level\":{}", Value::from(metadata.level().as_str().to_lowercase()))?;
        write!(writer, ",\"target\":{}", Value::from(metadata.target()))?;
        write!(writer, ",\"message\":{}", Value::from(fields.message))?;
        for (name, value) in &fields.rest {
            write!(writer, ",{}:{value}", Value::from(name.as_str()))?;
        }
        writeln!(writer, "}}")
    }
}

/// The fields of all open spans; an inner span wins over an outer one.
fn span_fields<S, N>(context: &FmtContext<'_, S, N>) -> Map<String, Value>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    let mut all = Map::new();
    for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
        let extensions = span.extensions();
        let Some(written) = extensions.get::<FormattedFields<N>>() else {
            continue;
        };
        if let Ok(Value::Object(fields)) = serde_json::from_str(written) {
            all.extend(fields.into_iter().map(|(name, value)| (unreserved(&name), value)));
        }
    }
    all
}

fn unreserved(name: &str) -> String {
    if OURS.contains(&name) { format!("field_{name}") } else { name.to_owned() }
}

struct Fields {
    message: String,
    rest: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.rest.insert(unreserved(field.name()), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field, Value::from(format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.put(field, Value::from(value));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, Value::from(chain(value)));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry().with(layer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, log);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_one_object_with_flat_fields_in_reading_order() {
        let line = logged(|| {
            let _span = tracing::info_span!("batch", topic = "mt-c400", partition = 3).entered();
            let error: &(dyn Error + 'static) = &fmt::Error;
            tracing::warn!(target: "consumer::invoke", records = 500_u64, partition = 4, error, "invocation\nfailed");
        });
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with("{\"ts\":\"20"), "{line}");
        let (_, rest) = line.split_once(',').unwrap();
        assert_eq!(
            rest,
            "\"level\":\"warn\",\"target\":\"consumer::invoke\",\"message\":\"invocation\\nfailed\",\
             \"error\":\"an error occurred when formatting an argument\",\"partition\":4,\"records\":500,\"topic\":\"mt-c400\"}\n"
        );
    }

    #[test]
    fn a_field_cannot_take_one_of_our_names() {
        let line = logged(|| tracing::info!(level = 7, target = "x", "ready"));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["level"], &value["field_level"]), (&Value::from("info"), &Value::from(7)), "{line}");
    }
}
