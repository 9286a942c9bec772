//! The form of a domain: its fields, what they mean as JSON of the API, and where its refusals stand.

use serde_json::{Value, json};

use crate::actions::FieldError;
use crate::actions::domains::DomainView;
use crate::web::forms::FormErrors;
use crate::web::typed::Typed;

/// A form as it is shown, and what was sent.
pub struct DomainForm {
    /// The fields that are there once.
    pub fields: Typed,
    /// Who may open the domain, and one blank row.
    pub users: Vec<UserRow>,
}

/// A row of the table of users.
pub struct UserRow {
    /// The name.
    pub name: String,
    /// Whether a password is stored.
    pub is_kept: bool,
}

const SWITCHES: [&str; 5] = ["strip_prefix", "force", "hsts", "plain_health", "grpc"];

impl DomainForm {
    /// An empty form.
    pub fn blank() -> Self {
        let mut fields = Typed::default();
        fields.set("path_prefix", "/");
        fields.set("tls", "auto");
        Self::of_fields(fields, &[])
    }

    /// The form of a stored domain.
    pub fn of(domain: &DomainView, version: i64) -> Self {
        let mut fields = Typed::default();
        for (name, value) in [
            ("host", domain.host.as_str()),
            ("path_prefix", &domain.path_prefix),
            ("tls", &domain.tls),
            ("redirect_to", domain.redirect_to.as_deref().unwrap_or_default()),
            ("certificate", domain.certificate.as_deref().unwrap_or_default()),
            ("allow_ips", &domain.allow_ips.join("\n")),
            ("version", &version.to_string()),
        ] {
            fields.set(name, value);
        }
        let switches = [
            domain.strip_prefix,
            domain.force,
            domain.hsts,
            domain.plain_health,
            domain.grpc,
        ];
        for (name, is_on) in SWITCHES.into_iter().zip(switches) {
            fields.set(name, is_on.to_string());
        }
        for user in &domain.basic_auth {
            fields.set("user", user.user.as_str());
        }
        let stored = stored_users(domain);
        Self::of_fields(fields, &stored)
    }

    /// The form as it was sent; `stored` is who has a password already.
    pub fn of_fields(fields: Typed, stored: &[String]) -> Self {
        let row = |name: &str| UserRow {
            is_kept: stored.iter().any(|user| user == name),
            name: name.to_owned(),
        };
        let mut users: Vec<UserRow> = fields.all("user").map(row).collect();
        if users.last().is_none_or(|last| !last.name.trim().is_empty()) {
            users.push(row(""));
        }
        Self { fields, users }
    }

    /// What was sent, as the API has it, and which row each of its users is.
    pub fn to_json(fields: &Typed) -> (Value, Vec<usize>) {
        let lines = |name: &str| -> Vec<String> {
            let parts = fields.value(name).split(|c: char| c.is_whitespace() || c == ',');
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let mut json = json!({
            "host": fields.value("host"),
            "path_prefix": fields.value("path_prefix"),
            "redirect_to": fields.text("redirect_to"),
            "allow_ips": lines("allow_ips"),
            "certificate": fields.text("certificate"),
        });
        for name in SWITCHES {
            json[name] = Value::Bool(fields.is(name, "true"));
        }
        if let Some(tls) = fields.text("tls") {
            json["tls"] = tls.into();
        }
        if let Some(key) = fields.text("private_key") {
            json["private_key"] = key.into();
        }
        if let Some(version) = fields.text("version").and_then(|text| text.parse::<i64>().ok()) {
            json["version"] = version.into();
        }
        let passwords: Vec<&str> = fields.all("password").collect();
        let rows = fields
            .all("user")
            .enumerate()
            .filter(|(_, name)| !name.trim().is_empty());
        let mut indexes = Vec::new();
        let mut users = Vec::new();
        for (index, name) in rows {
            indexes.push(index);
            let password = passwords.get(index).filter(|password| !password.is_empty());
            users.push(json!({ "user": name, "password": password }));
        }
        json["basic_auth"] = users.into();
        (json, indexes)
    }

    /// The refusals beside the form's fields; `indexes` as from [`DomainForm::to_json`].
    pub fn errors(mut refused: Vec<FieldError>, indexes: &[usize]) -> FormErrors {
        for error in &mut refused {
            if let Some(id) = user_id(&error.field, indexes) {
                error.field = id;
            }
        }
        FormErrors::with_labels(refused, label)
    }

    /// Whether this part of the form holds something out of the ordinary, or was refused.
    pub fn is_open(&self, errors: &FormErrors, names: &[&str]) -> bool {
        let is_set = |name: &&str| !matches!(self.fields.value(name).trim(), "" | "false");
        errors.has_any(names) || names.iter().any(is_set) || (names.contains(&"allow_ips") && self.has_users(errors))
    }

    fn has_users(&self, errors: &FormErrors) -> bool {
        let is_refused = |index| errors.has_any(&[&format!("user-{index}"), &format!("password-{index}")]);
        self.users.len() > 1 || errors.has_any(&["basic_auth"]) || (0..self.users.len()).any(is_refused)
    }
}

/// The names of those who have a password.
pub fn stored_users(domain: &DomainView) -> Vec<String> {
    domain.basic_auth.iter().map(|user| user.user.clone()).collect()
}

/// `basic_auth[1].password` as the control's id, `password-3` where the second user stands in the fourth row.
fn user_id(field: &str, indexes: &[usize]) -> Option<String> {
    let (index, part) = field.strip_prefix("basic_auth[")?.split_once("].")?;
    let row = indexes.get(index.parse::<usize>().ok()?)?;
    Some(format!("{part}-{row}"))
}

/// The words that label a field.
fn label(field: &str) -> Option<String> {
    let words = match field {
        "host" => "Host",
        "path_prefix" => "Path",
        "tls" => "HTTPS",
        "redirect_to" => "Redirect to",
        "strip_prefix" => "Leave the path out",
        "force" => "Ask for a certificate anyway",
        "hsts" => "HTTPS only",
        "plain_health" => "Health path over plain http",
        "grpc" => "gRPC",
        "certificate" => "Certificate",
        "private_key" => "Private key",
        "allow_ips" => "Allowed addresses",
        "basic_auth" => "Passwords",
        _ => {
            let (part, row) = field.split_once('-')?;
            let number = row.parse::<usize>().ok()? + 1;
            let part = if part == "user" { "Name" } else { "Password" };
            return Some(format!("{part}, row {number}"));
        }
    };
    Some(words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::DomainForm;
    use crate::actions::FieldError;
    use crate::web::typed::Typed;
    use serde_json::json;

    #[test]
    fn a_form_says_what_the_api_would() {
        let mut typed = Typed::default();
        for (name, value) in [
            ("host", "shop.example.com"),
            ("path_prefix", "/a"),
            ("hsts", "false"),
            ("hsts", "true"),
            ("redirect_to", " "),
            ("allow_ips", "10.0.0.0/8,\r\n::1"),
            ("version", "7"),
            ("user", "ann"),
            ("password", ""),
            ("user", " "),
            ("password", "x"),
            ("user", "bob"),
            ("password", "open sesame"),
        ] {
            typed.set(name, value);
        }
        let (json, indexes) = DomainForm::to_json(&typed);
        let users = json!([{ "user": "ann", "password": null }, { "user": "bob", "password": "open sesame" }]);
        assert_eq!((&json["basic_auth"], indexes.as_slice()), (&users, [0, 2].as_slice()));
        assert_eq!((&json["hsts"], &json["force"]), (&json!(true), &json!(false)));
        assert_eq!(
            (&json["allow_ips"], &json["version"]),
            (&json!(["10.0.0.0/8", "::1"]), &json!(7))
        );
        assert!(json["redirect_to"].is_null() && json.get("private_key").is_none());
        let error = FieldError {
            field: "basic_auth[1].password".to_owned(),
            message: "Too short.".to_owned(),
        };
        let errors = DomainForm::errors(vec![error], &indexes);
        assert_eq!(errors.of("password-2"), Some("Too short."));
        assert_eq!(errors.lines()[0].text, "Password, row 3: Too short.");
        let form = DomainForm::of_fields(typed, &["ann".to_owned()]);
        assert!(form.users[0].is_kept && !form.users[2].is_kept && form.users.len() == 4);
        assert!(form.is_open(&errors, &["allow_ips"]) && !form.is_open(&errors, &["redirect_to"]));
    }
}
