//! The program: run the command line, print the error, give the exit code.

use std::process::ExitCode;

use vidpairs::cli;
use vidpairs::run::with_causes;

#[expect(clippy::print_stderr, reason = "here alone errors are printed")]
fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("vidpairs: {}", with_causes(&err));
            err.exit_code()
        }
    }
}
