//! What a command answers: text for a person or JSON for a machine, and whether it found something.

use runtime::exit::Failure;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// The answer of one command.
#[derive(Debug)]
pub struct Answer {
    /// For a person; several lines.
    pub text: String,
    /// For a machine; one object.
    pub json: Value,
    /// Whether a person has to look: exit code 2.
    pub finding: bool,
}

impl Answer {
    /// Puts text and data of a command together.
    pub fn new(text: String, data: &impl Serialize, finding: bool) -> Result<Self, Failure> {
        Ok(Self { text, json: serde_json::to_value(data)?, finding })
    }

    /// Writes it to standard output. A reader that has gone away (`| head`) is no error.
    pub fn print(&self, as_json: bool) -> Result<(), Failure> {
        let out = if as_json { format!("{:#}\n", self.json) } else { self.text.clone() };
        match io::stdout().lock().write_all(out.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}
