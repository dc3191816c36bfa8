//! Queries: any text is a query of the subset or is not, and evaluating one stays within its steps.

use weir_model::applicability::{
    facts::{System, WmiValue},
    memory::Memory,
    wql,
};

pub(super) fn run(data: &[u8]) -> bool {
    let query = &*String::from_utf8_lossy(data);
    let Ok(parsed) = wql::parse(query) else { return false };
    let mut computer = Memory::new(System::default());
    let instance = vec![
        ("a".to_owned(), WmiValue::Text("aaaaaaaaaaaaaaaaaaaaaaaab".to_owned())),
        ("b".to_owned(), WmiValue::Integer(5)),
        ("c".to_owned(), WmiValue::Null),
        ("d".to_owned(), WmiValue::Real(f64::NAN)),
        ("e".to_owned(), WmiValue::Boolean(true)),
    ];
    computer.set_wmi("root\\cimv2", &parsed.class, vec![instance.clone(), instance]);
    let mut steps = 100_000;
    let answer = wql::evaluate("root\\cimv2", query, &computer, &mut steps);
    let mut again = 100_000;
    assert_eq!(wql::evaluate("root\\cimv2", query, &computer, &mut again), answer);
    // With fewer steps the answer may be missing, never another one.
    if let Some(known) = wql::evaluate("root\\cimv2", query, &computer, &mut 20).known() {
        assert_eq!(answer.known(), Some(known));
    }
    true
}
