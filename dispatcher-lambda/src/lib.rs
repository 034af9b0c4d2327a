//! The dispatcher: one Lambda invocation brings a batch of records, and every record gets its verdict.
//!
//! decode -> validate -> dedupe -> route -> deliver -> verdicts. Modules stand in dependency order.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// How long one invocation may still work.
pub mod deadline;
/// A panic inside one step or one record becomes a value.
pub mod contain;
/// Waits for several futures at once.
pub mod together;
/// What the dispatcher counts.
pub mod metrics;
/// How long each part of a batch took.
pub mod laps;
/// Metrics for CloudWatch, in lines of the log.
pub mod emf;
/// A record on its way: decoded, valid, addressed.
pub mod record;
/// The top-level fields of an event, as they stand.
pub mod fields;
/// The spans of a batch.
pub mod spans;
/// What leaves the function about its batches.
pub mod telemetry;
/// The verdicts as they come in, one place per record.
pub mod board;
/// The other caller, AWS's event source mapping: its event and its answer.
pub mod event_source;
/// Step 1: is the payload a request of our contract?
pub mod decode;
/// Step 2: is each value an event that we know?
pub mod validate;
/// Why a destination did not take something.
pub mod failure;
/// What everything on AWS shares: one HTTP client, the region, and the class of each error.
pub mod aws;
/// Step 3: which events were delivered before?
pub mod dedupe;
/// What a route changes of an event.
pub mod transform;
/// Step 4: which destinations does each event go to?
pub mod route;
/// Where delivered events end: SQS, SNS, DynamoDB, S3, Lambda, HTTP, file.
pub mod destinations;
/// Step 5: hands every event to its destinations, in order, before the deadline.
pub mod deliver;
/// Step 6: the board becomes the response.
pub mod verdicts;
/// The settings, from the environment; everything is built once.
pub mod config;
/// The six steps in a row.
pub mod dispatcher;
/// Between Lambda and the dispatcher.
pub mod handler;
/// Tells Lambda why a cold start failed.
pub mod init_error;
/// From cold start to the loop over invocations.
pub mod app;
