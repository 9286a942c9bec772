//! `dhow user add | reset-password | list`.

use std::io;

use anyhow::Context as _;

use super::{open_database, open_existing_database, print_line};
use crate::actions::users;
use crate::config::UserVerb;
use crate::model::user::{Email, Password};
use crate::secrets::{self, Passwords};

/// Carries out a verb about users.
pub async fn run(verb: UserVerb) -> anyhow::Result<()> {
    match verb {
        UserVerb::Add {
            email,
            role,
            password_stdin,
            data,
        } => {
            let email = Email::parse(&email).context(email)?;
            let (password, made) = choose_password(password_stdin)?;
            let db = open_database(&data)?;
            users::add(&db, &Passwords::start()?, &email, password, role).await?;
            tell_password(made)
        }
        UserVerb::ResetPassword {
            email,
            password_stdin,
            data,
        } => {
            let email = Email::parse(&email).context(email)?;
            let (password, made) = choose_password(password_stdin)?;
            let db = open_existing_database(&data)?;
            users::reset_password(&db, &Passwords::start()?, &email, password).await?;
            tell_password(made)
        }
        UserVerb::List { data } => {
            for user in users::list(&open_existing_database(&data)?).await? {
                print_line(&format!("{}\t{}\t{}", user.email, user.role, user.created_at))?;
            }
            Ok(())
        }
    }
}

/// The password from standard input, or a new one that has to be told.
fn choose_password(is_on_stdin: bool) -> anyhow::Result<(Password, Option<String>)> {
    if !is_on_stdin {
        let made = secrets::random_token();
        return Ok((Password::typed(made.clone()), Some(made)));
    }
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .context("the password could not be read from standard input")?;
    let password = Password::parse(line.trim_end_matches(['\r', '\n'])).context("password")?;
    Ok((password, None))
}

fn tell_password(made: Option<String>) -> anyhow::Result<()> {
    made.map_or(Ok(()), |password| print_line(&format!("password: {password}")))
}
