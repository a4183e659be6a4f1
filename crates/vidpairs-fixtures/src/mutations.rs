//! Damage to the journals of stopped runs.

/// Changed copies of the text of a journal, each with the name of its change: cut after each line and inside it, a flipped bit in each
/// third of each line, lines left out, repeated and swapped, and lines of the journal of `another` run.
pub fn of_journal(text: &[u8], another: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines_of = |text: &'_ [u8]| -> Vec<Vec<u8>> {
        let lines = text.split_inclusive(|&byte| byte == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    };
    let (lines, foreign) = (lines_of(text), lines_of(another));
    let mut all = Vec::new();
    let mut start = 0;
    for (number, line) in lines.iter().enumerate() {
        let mut add = |name: &str, text: Vec<u8>| all.push((format!("line {number} {name}"), text));
        add("is the first that is gone", text[..start].to_vec());
        add("is cut", text[..start + line.len() / 2].to_vec());
        for third in 0..3 {
            let mut changed = text.to_vec();
            changed[start + third * (line.len() - 1) / 3] ^= 1 << ((number + third) % 7);
            add(&format!("has a flipped bit in third {third}"), changed);
        }
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            lines.concat()
        };
        add("is left out", with(&|lines| drop(lines.remove(number))));
        add(
            "is there twice",
            with(&|lines| lines.insert(number, lines[number].clone())),
        );
        if number + 1 < lines.len() {
            add(
                "is swapped with the next",
                with(&|lines| lines.swap(number, number + 1)),
            );
        }
        if let Some(other) = foreign.get(number) {
            add(
                "is that of another run",
                with(&|lines| lines[number].clone_from(other)),
            );
        }
        start += line.len();
    }
    all.push(("all lines are there".to_owned(), text.to_vec()));
    all
}
