//! Starts `comboioctl`.

use std::process::ExitCode;

fn main() -> ExitCode {
    comboioctl::app::main()
}
