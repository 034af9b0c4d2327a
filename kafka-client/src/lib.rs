//! How Comboio speaks to Kafka: settings, certificates, what a client says about itself, checks and admin requests.
//!
//! Modules stand in dependency order. Everything here is synchronous and bound by a deadline; services call it before
//! their first record flows, or from a thread that may block.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// What a Kafka error code means: one table from the code to one of the six failure classes.
pub mod failure;
/// The certificate bundle: CA, certificate and key from PEM or PKCS#12, checked before any client sees them.
pub mod certificates;
/// When the certificate in use ends, and how urgent that is: a metric, a level, a few log lines.
pub mod expiry;
/// From the section `[kafka]` to the settings of a producer, a consumer or an admin client.
pub mod settings;
/// What a client says while it runs: its log lines, its last errors, its statistics.
pub mod context;
/// How much waits in a consumer's main queue.
pub mod main_queue;
/// Which topic stands behind a name, and how many partitions it has.
pub mod topic_facts;
/// The queues of the partitions that a consumer owns, each read by itself.
pub mod partition_queues;
/// Is Kafka reachable, does it accept us, are topics and group there: one sentence if not.
pub mod probe;
/// Watches where the certificates come from, and hands over each new bundle that a broker has accepted.
pub mod rotation;
/// Topics as an operator sees them: list, create, grow, compare settings.
pub mod topics;
/// Where a group stands: committed and end offsets, read without joining the group.
pub mod offsets;
