//! Which port an app is served at whose owner has chosen none.
//!
//! What an image declares is no more than documentation (Dockerfile reference, EXPOSE): it is what to try first, and what
//! decides between several that the app listens on.

use super::app::Port;

/// The port to try first, by what an image declares: the only one that it exposes. One that sets `PORT` to another reads
/// it, and has what it exposes from an image below.
pub fn of_image(exposed: &[u16], own_port_variable: Option<&str>) -> Option<Port> {
    let [only] = exposed else { return None };
    let is_meant = own_port_variable.is_none_or(|text| text.parse() == Ok(*only));
    is_meant.then(|| Port::parse(i64::from(*only)).ok()).flatten()
}

/// The port that an app is found at: the only one that it listens on, or the only one of those that its image exposes.
pub fn of_listening(listening: &[u16], exposed: &[u16]) -> Option<Port> {
    let declared: Vec<u16> = listening
        .iter()
        .copied()
        .filter(|port| exposed.contains(port))
        .collect();
    match (listening, declared.as_slice()) {
        ([only], _) | (_, [only]) => Port::parse(i64::from(*only)).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_a_port_only_when_it_exposes_one_and_means_it() {
        for (exposed, variable, expected) in [
            (&[][..], None, None),
            (&[8080], None, Some(8080)),
            (&[3000, 9000], None, None),
            (&[8080], Some("8080"), Some(8080)),
            // A web server's image exposes 80, and what was put on top of it listens where PORT says.
            (&[80], Some("3000"), None),
            (&[80], Some("http"), None),
            (&[], Some("5000"), None),
            (&[0], None, None),
        ] {
            let found = of_image(exposed, variable).map(Port::get);
            assert_eq!(found, expected, "{exposed:?} {variable:?}");
        }
    }

    #[test]
    fn an_app_is_found_where_it_listens_alone_or_as_its_image_says() {
        for (listening, exposed, expected) in [
            (&[][..], &[][..], None),
            (&[5555], &[], Some(5555)),
            (&[5555], &[9000], Some(5555)),
            (&[3000], &[3000, 9000], Some(3000)),
            (&[4000, 5000], &[], None),
            (&[4000, 5000], &[5000], Some(5000)),
            (&[4000, 5000], &[4000, 5000], None),
            (&[4000, 5000], &[6000], None),
            (&[4000, 5000, 6000], &[3000, 6000], Some(6000)),
        ] {
            let found = of_listening(listening, exposed).map(Port::get);
            assert_eq!(found, expected, "{listening:?} {exposed:?}");
        }
    }
}
