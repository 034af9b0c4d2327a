//! The outside world on one machine: Kafka, certificates, a Lambda host and a collector, for demos and tests.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// Free TCP ports of the loopback interface.
pub mod ports;
/// Child processes that never outlive the process that started them.
pub mod process;
/// A throw-away certificate authority and the identities that it issues.
pub mod authority;
/// Apache Kafka's jars, from a cache folder or from Maven.
pub mod jars;
/// A TCP address that stays the same while what stands behind it changes.
pub mod forwarder;
/// Kafka brokers to test against: embedded, real, or somebody else's.
pub mod broker;
/// An HTTP server of the loopback interface whose connections can be reset on command.
pub mod listener;
/// S3 for a few objects: a folder of buckets behind S3's API.
#[cfg(feature = "bundle-store")]
pub mod bundle_store;
/// The programs that `ci/setup` installs into the cache.
mod installed;
/// AWS's services, played by an emulator, with faults on command.
pub mod aws;
/// Redis, for what the dispatcher remembers.
pub mod redis;
/// Deploys a packaged function to the emulator and invokes it there, as one would on AWS.
pub mod cargo_lambda;
/// AWS Lambda's Invoke API in front of the real `bootstrap` binary.
pub mod lambda_host;
/// The HTTP destination that receives and counts deliveries.
pub mod collector;
