//! Makes a value of a panic, without a message on the terminal.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    /// Source line of the last panic that was caught.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls `work`. A panic in it, such as one of a library that meets a damaged file, becomes its message and its place in the source, and
/// nothing is printed.
///
/// # Errors
/// Message of the panic: the caller reports it with the input.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_caught = IS_CAUGHT.get();
            if is_caught {
                PLACE.set(panic_place(panic));
            }
            if !is_caught || prints_panics() {
                print(panic);
            }
        }));
    });
    let was_caught = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(was_caught);
    done.map_err(|panic| match PLACE.take() {
        Some(place) => format!("{} ({place})", panic_message(&*panic)),
        None => panic_message(&*panic),
    })
}

/// Whether panics that are caught are printed too: `RUST_BACKTRACE` is set.
pub fn prints_panics() -> bool {
    std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0")
}

/// Message of a panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Crate, file and line of a panic: `tobj-4.0.3/src/lib.rs:783`.
pub fn panic_place(panic: &PanicHookInfo<'_>) -> Option<String> {
    let location = panic.location()?;
    let parts: Vec<&str> = location.file().split(['/', '\\']).collect();
    // Crates lie in folders of the machine that built the program.
    let source = parts.iter().rposition(|part| *part == "src").unwrap_or(0);
    let file = parts.get(source.saturating_sub(1)..)?.join("/");
    Some(format!("{file}:{}", location.line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_its_place_in_the_source() {
        let found = caught(|| panic!("bad {}", "luck")).unwrap_err();
        assert!(
            found.starts_with("bad luck (vidpairs-types/src/parallel/"),
            "{found}"
        );
        assert!(caught(|| 7) == Ok(7));
    }

    #[test]
    fn a_panic_within_a_caught_one_leaves_the_outer_one_caught() {
        let found = caught(|| {
            let inner = caught(|| panic!("inner")).unwrap_err();
            panic!("outer after {inner}")
        });
        let found = found.map(|(): ()| ()).unwrap_err();
        assert!(found.starts_with("outer after inner ("), "{found}");
    }
}
