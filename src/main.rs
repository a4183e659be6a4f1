//! The program: run the command line, print the error, give the exit code.

use std::io::Write;
use std::process::ExitCode;

use vidpairs::cli;
use vidpairs::run::with_causes;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(code) => code,
        Err(err) => {
            // Where nobody reads stderr any more, the exit code must do.
            let _ = writeln!(std::io::stderr(), "vidpairs: {}", with_causes(&err));
            err.exit_code()
        }
    }
}
