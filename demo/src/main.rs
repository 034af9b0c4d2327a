//! `comboio-demo`: the journey with a face. Exit 0 only if the ledger adds up.

use demo::journey;
use demo::options::Options;
use demo::report::Report;
use demo::view::View;
use runtime::stdout;
use std::process::ExitCode;

const BROKEN: u8 = 1;
const USAGE: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args_os()) {
        Ok(options) => options,
        Err(refusal) => {
            let usage = refusal.use_stderr();
            // Nothing can be done about a closed standard error here.
            let _ = refusal.print();
            return if usage { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let mut view = View::new();
    match journey::run(&options, &mut view).await {
        Ok(report) => tell(&options, &report),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(BROKEN)
        }
    }
}

fn tell(options: &Options, report: &Report) -> ExitCode {
    let json = match serde_json::to_string_pretty(report) {
        Ok(json) => json,
        Err(error) => {
            eprintln!("error: the report cannot be written: {error}");
            return ExitCode::from(BROKEN);
        }
    };
    let file = options.report_file();
    if let Err(error) = std::fs::write(&file, format!("{json}\n")) {
        eprintln!("error: cannot write {}: {error}", file.display());
        return ExitCode::from(BROKEN);
    }
    let said = if options.json {
        stdout::say(format_args!("{json}\n"))
    } else {
        stdout::say(format_args!("{report}  report: {}\n", file.display()))
    };
    if let Err(failure) = said {
        eprintln!("error: {failure}");
        return ExitCode::from(BROKEN);
    }
    if report.holds { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) }
}
