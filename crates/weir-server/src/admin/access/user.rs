//! Users.

use serde_json::{Value, json};
use weir_api::{
    List,
    list::ListQuery,
    user::{PasswordReset, PasswordWasReset, User, UserChange, UserCreate, UserCreated},
};
use weir_model::{
    name,
    rights::{Grant, Role},
};
use weir_store::{
    ReadTx, StoreError,
    user::{self as stored, UserRow},
};

use super::{Caller, password, scope};
use crate::admin::{AdminError, App, collection::Tree, list};

/// Characters of a name.
const LONGEST_NAME: usize = 100;

/// A name of a user or a token.
pub(crate) fn checked_name(kind: &str, name: &str) -> Result<String, AdminError> {
    let fits = name.trim() == name
        && (1..=LONGEST_NAME).contains(&name.chars().count())
        && name::is_plain(name)
        && !name.contains(['/', '\\'])
        && !matches!(name, "." | "..");
    // the audit log tells the server itself, and the token of its own disk, by these
    let key = name::visible_key(name);
    if fits && !key.starts_with("system:") && key != crate::admin::ADMINISTRATOR {
        return Ok(name.to_owned());
    }
    Err(AdminError::Invalid {
        code: "name",
        detail: format!("{name:?} cannot name a {kind}"),
        next_step: Some(format!(
            "give 1 to {LONGEST_NAME} characters that show, without slashes and without blanks around them; {} and what begins \
             with system: are the server's own",
            crate::admin::ADMINISTRATOR
        )),
    })
}

pub(super) fn find(tx: &ReadTx<'_>, name: &str) -> Result<UserRow, AdminError> {
    tx.user_find(name)?.ok_or_else(|| AdminError::missing("user", format!("{name:?}"), "weir users list"))
}

pub(super) fn shown(tree: &Tree, row: UserRow) -> User {
    let (collections, limited) = scope::shown(tree, &row.user.grant.scope);
    let (issuer, subject) = row.user.identity.unzip();
    User {
        name: row.user.name,
        display_name: row.user.display_name,
        role: row.user.grant.role.into(),
        collections,
        limited,
        enabled: row.user.enabled,
        built_in: row.built_in,
        password: row.user.password.is_some(),
        must_change_password: row.user.must_change,
        issuer,
        subject,
        created_at: row.created_at,
        created_by: row.created_by,
        signed_in_at: row.signed_in_at,
    }
}

/// What the audit log keeps of a user: no password, not even its hash.
pub(super) fn audited(tree: &Tree, user: &stored::User) -> Value {
    let (collections, limited) = scope::shown(tree, &user.grant.scope);
    let names: Vec<String> = collections.into_iter().map(|collection| collection.name).collect();
    json!({
        "display_name": user.display_name,
        "role": user.grant.role.word(),
        "collections": limited.then_some(names),
        "enabled": user.enabled,
    })
}

/// All users, by name.
pub(crate) async fn list(app: &App, query: ListQuery) -> Result<List<User>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let page = list::page(tx.user_list()?, |user| user.no.to_string(), query.cursor.as_deref(), limit)?;
        Ok(List { items: page.items.into_iter().map(|user| shown(&tree, user)).collect(), next: page.next })
    })
    .await
}

/// One user.
pub(crate) async fn show(app: &App, name: String) -> Result<User, AdminError> {
    app.try_read(move |tx| Ok(shown(&Tree::read(tx)?, find(tx, &name)?))).await
}

/// A password that was given, checked, or one that is made; and whether it was made.
async fn first_password(
    app: &App,
    given: Option<String>,
    names: &[&str],
) -> Result<(String, Option<String>), AdminError> {
    let (password, made) = match given {
        Some(password) => (password, false),
        None => (password::made()?, true),
    };
    password::checked(&password, names)?;
    let hash = app.shared().hasher.hash(password.clone()).await?;
    Ok((hash, made.then_some(password)))
}

/// Makes a user.
pub(crate) async fn create(app: &App, caller: &Caller, new: UserCreate) -> Result<UserCreated, AdminError> {
    let name = checked_name("user", &new.name)?;
    let display_name = checked_display(new.display_name.as_deref().unwrap_or(&name))?;
    let (hash, password) = first_password(app, new.password, &[&name, &display_name]).await?;
    let (role, collections): (Role, Vec<String>) = (new.role.into(), new.collections);
    let user = app
        .write(caller, move |tx| {
            if tx.user_find(&name)?.is_some() {
                return Err(AdminError::Conflict {
                    code: "exists",
                    detail: format!("a user named {name:?} exists already"),
                    next_step: Some("choose another name".to_owned()),
                });
            }
            let tree = Tree::read(tx)?;
            let user = stored::User {
                name,
                display_name,
                grant: Grant { role, scope: scope::named(&tree, &collections)? },
                enabled: true,
                password: Some(hash),
                must_change: true,
                identity: None,
            };
            let no = tx.user_create(&user)?;
            tx.audit("user.create", &user.name, None, Some(&audited(&tree, &user)))?;
            let row = tx.user_show(no)?;
            row.map(|row| shown(&tree, row))
                .ok_or_else(|| AdminError::Internal("a user that was just made is not there".to_owned()))
        })
        .await?;
    Ok(UserCreated { user, password })
}

fn checked_display(text: &str) -> Result<String, AdminError> {
    let text = text.trim();
    if (1..=LONGEST_NAME).contains(&text.chars().count()) && name::is_printable(text) {
        return Ok(text.to_owned());
    }
    Err(AdminError::invalid("display_name", format!("display_name takes 1 to {LONGEST_NAME} characters that show")))
}

fn refuse_built_in(row: &UserRow, what: &str) -> Result<(), AdminError> {
    if !row.built_in {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "built_in",
        detail: format!("{} is built in: {what}", row.user.name),
        next_step: Some("make a user of your own: weir users create NAME --role full-administrator".to_owned()),
    })
}

fn refuse_self(caller: &Caller, row: &UserRow) -> Result<(), AdminError> {
    if caller.user != Some(row.no) {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "own_account",
        detail: "nobody changes the rights of the own account, nor disables or deletes it".to_owned(),
        next_step: Some("another full administrator can".to_owned()),
    })
}

/// Refuses what the provider says of its users at each sign-in.
fn refuse_provided(row: &UserRow, change: &UserChange) -> Result<(), AdminError> {
    let provided = change.role.is_some() || change.collections.is_some();
    match &row.user.identity {
        Some((issuer, _)) if provided => Err(AdminError::Conflict {
            code: "provided",
            detail: format!("the role of {} follows from its groups at {issuer}", row.user.name),
            next_step: Some("change what its groups may do: weir users map GROUP --role ROLE".to_owned()),
        }),
        _ => Ok(()),
    }
}

/// Changes a user.
pub(crate) async fn change(app: &App, caller: &Caller, name: String, change: UserChange) -> Result<User, AdminError> {
    let display_name = change.display_name.as_deref().map(checked_display).transpose()?;
    let by = caller.clone();
    app.write(caller, move |tx| {
        let (tree, row) = (Tree::read(tx)?, find(tx, &name)?);
        let before = audited(&tree, &row.user);
        if change.role.is_some() || change.collections.is_some() || change.enabled.is_some() {
            refuse_built_in(&row, "its role stays, and it cannot be disabled")?;
            refuse_self(&by, &row)?;
            refuse_provided(&row, &change)?;
        }
        let old = row.user.clone();
        let mut user = row.user;
        if let Some(text) = display_name {
            user.display_name = text;
        }
        if let Some(role) = change.role {
            user.grant.role = role.into();
        }
        if let Some(collections) = &change.collections {
            user.grant.scope = scope::named(&tree, collections)?;
        }
        if let Some(enabled) = change.enabled {
            user.enabled = enabled;
        }
        if user != old {
            tx.user_change(row.no, &user)?;
            if !user.enabled {
                tx.session_end(row.no, None)?;
            } else if user.grant != old.grant {
                tx.session_outdate(row.no)?;
            }
            tx.audit("user.change", &user.name, Some(&before), Some(&audited(&tree, &user)))?;
        }
        Ok(shown(&tree, find(tx, &name)?))
    })
    .await
}

/// Deletes a user with its sessions, tokens and certificates. What it did stays in the audit log.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    let by = caller.clone();
    app.write(caller, move |tx| {
        let row = find(tx, &name)?;
        refuse_built_in(&row, "it cannot be deleted")?;
        refuse_self(&by, &row)?;
        let before = audited(&Tree::read(tx)?, &row.user);
        tx.user_delete(row.no)?;
        tx.audit("user.delete", &row.user.name, Some(&before), None)?;
        Ok(())
    })
    .await
}

/// Gives a user another password, which it has to change.
pub(crate) async fn reset(
    app: &App,
    caller: &Caller,
    name: String,
    reset: PasswordReset,
) -> Result<PasswordWasReset, AdminError> {
    let row = app.try_read(move |tx| find(tx, &name)).await?;
    refuse_built_in(&row, "it signs in by a link: weir admin sign-in")?;
    if row.user.identity.is_some() {
        return Err(AdminError::Conflict {
            code: "provided",
            detail: format!("{} signs in at its provider, which keeps its password", row.user.name),
            next_step: None,
        });
    }
    let (hash, password) = first_password(app, reset.password, &[&row.user.name, &row.user.display_name]).await?;
    app.write(caller, move |tx| {
        let gone = || StoreError::Missing { kind: "user", id: row.user.name.clone() };
        let mut user = tx.user_show(row.no)?.ok_or_else(gone)?.user;
        user.password = Some(hash);
        user.must_change = true;
        tx.user_change(row.no, &user)?;
        tx.session_end(row.no, None)?;
        tx.audit("user.password.reset", &user.name, None, None)?;
        Ok(())
    })
    .await?;
    Ok(PasswordWasReset { password })
}
