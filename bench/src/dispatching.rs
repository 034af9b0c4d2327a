//! The dispatcher's bench: its packages, deployed to an emulator of AWS, and how fast and small the packaged process is.

/// What is in a zip.
pub mod package;
/// Deployed by cargo-lambda to the emulator, and invoked there.
pub mod deployed;
/// Cold start, batches and memory of the packaged process.
pub mod speed;
/// What must hold.
pub mod bounds;
/// All figures: a table for people, JSON for programs.
pub mod report;
/// The command line.
pub mod cli;
