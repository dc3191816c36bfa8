//! API tokens: what programs prove who they act for.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_api::{
    List,
    list::ListQuery,
    token::{Token, TokenCreate, TokenCreated},
};
use weir_model::rights::{Grant, Permission, Reach, Role};
use weir_store::{Actor, access::TokenRow, user::BUILT_IN};

use super::{Caller, Proof, rights, scope, user};
use crate::admin::{
    ADMINISTRATOR, AdminError, App,
    auth::{hash, is_token, secret},
    chain,
    collection::Tree,
    list,
};

/// Days that a token lives unless asked otherwise, and at most.
const DAYS: u32 = 90;
const MOST_DAYS: u32 = 730;
/// The use of a token is noted this often at most.
const NOTED: SignedDuration = SignedDuration::from_mins(10);

/// The caller of a token; none if it is none of ours, has expired, or reaches further than its owner does now.
pub(crate) async fn find(app: &App, presented: &str, from: Option<String>) -> Result<Option<Caller>, AdminError> {
    let (now, presented_hash) = (Timestamp::now(), hash(presented));
    if is_token(app, presented) {
        let user = app.read(|tx| tx.user_show(BUILT_IN)).await?;
        let built_in = Caller {
            name: ADMINISTRATOR.to_owned(),
            from,
            user: Some(BUILT_IN),
            proof: Proof::BuiltIn,
            display_name: user.map(|user| user.user.display_name).unwrap_or_default(),
            ..Caller::system("")
        };
        return Ok(Some(built_in));
    }
    let found = app
        .read(move |tx| {
            let Some(token) = tx.token_find(presented_hash, now)? else { return Ok(None) };
            let Some((owner, grant)) = token.owner.clone() else { return Ok(None) };
            let owner = tx.user_show(owner)?.filter(|owner| owner.user.enabled && !owner.user.must_change);
            let Some(owner) = owner else { return Ok(None) };
            let covered = scope::covers(tx, &owner.user.grant.scope, &grant.scope)?;
            Ok(covered.then_some((token, owner, grant)))
        })
        .await?;
    let Some((token, owner, grant)) = found else { return Ok(None) };
    if token.used_at.is_none_or(|used| now.duration_since(used) >= NOTED) {
        let noted = app.state.write(Actor::system("tokens", now), move |tx| tx.token_used(presented_hash)).await;
        if let Err(error) = noted {
            tracing::warn!(error = chain(&error), "the use of a token could not be noted");
        }
    }
    let role = grant.role.min(owner.user.grant.role);
    Ok(Some(Caller {
        grant: Grant { role, scope: grant.scope },
        expires_at: token.expires_at,
        display_name: token.name.clone(),
        ..Caller::user(&owner, Proof::Token(token.name), from)
    }))
}

/// Whether a caller sees a token: its own, or anybody's for a full administrator.
fn sees(caller: &Caller, token: &TokenRow) -> bool {
    let own = token.owner.as_ref().is_some_and(|(owner, _)| Some(*owner) == caller.user);
    own || (token.owner.is_some() && rights::check(caller, Permission::Administer, Reach::Site).is_ok())
}

fn shown(tree: &Tree, token: TokenRow) -> Option<Token> {
    let (_, grant) = token.owner?;
    let (collections, limited) = scope::shown(tree, &grant.scope);
    Some(Token {
        name: token.name,
        principal: token.principal,
        role: grant.role.into(),
        collections,
        limited,
        created_at: token.created_at,
        expires_at: token.expires_at,
        used_at: token.used_at,
    })
}

/// Tokens that a caller sees, by name.
pub(crate) async fn list(app: &App, caller: Caller, query: ListQuery) -> Result<List<Token>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let seen = tx.token_list()?.into_iter().filter(|token| sees(&caller, token));
        let page = list::page(seen, |token| token.name.clone(), query.cursor.as_deref(), limit)?;
        Ok(List { items: page.items.into_iter().filter_map(|token| shown(&tree, token)).collect(), next: page.next })
    })
    .await
}

fn too_much(detail: String) -> AdminError {
    AdminError::Forbidden { code: "forbidden", detail, next_step: Some("ask a full administrator".to_owned()) }
}

/// Makes a token of the caller.
pub(crate) async fn create(app: &App, caller: &Caller, new: TokenCreate) -> Result<TokenCreated, AdminError> {
    let Some(owner) = caller.user else {
        return Err(AdminError::Internal("the server itself has no tokens".to_owned()));
    };
    if matches!(caller.proof, Proof::Token(_)) {
        return Err(too_much("a token does not make tokens: it would outlive its own expiry".to_owned()));
    }
    if caller.must_change {
        return Err(AdminError::Forbidden {
            code: "password_change",
            detail: format!("{} has to choose another password first", caller.name),
            next_step: Some("sign in to the console, which asks for it; or PUT session/password".to_owned()),
        });
    }
    let name = user::checked_name("token", &new.name)?;
    let role: Role = new.role.into();
    if role > caller.grant.role {
        let (wanted, has) = (role.word(), caller.grant.role.word());
        return Err(too_much(format!("a token of the role {wanted} is more than {} has: {has}", caller.name)));
    }
    if new.never_expires && caller.grant.role != Role::FullAdministrator {
        return Err(too_much("only full administrators make tokens that do not expire".to_owned()));
    }
    if new.never_expires && new.days.is_some() {
        return Err(AdminError::invalid("days", "a token that does not expire has no days"));
    }
    let days = match new.days.unwrap_or(DAYS) {
        days @ 1..=MOST_DAYS => days,
        days => return Err(AdminError::invalid("days", format!("days is {days}; it must be 1 to {MOST_DAYS}"))),
    };
    let (secret, now) = (secret()?, Timestamp::now());
    let expires_at = (!new.never_expires).then(|| now + SignedDuration::from_hours(24 * i64::from(days)));
    let (fresh, by, collections) = (hash(&secret), caller.clone(), new.collections);
    let token = app
        .write(caller, move |tx| {
            if tx.token_named(&name)?.is_some() {
                return Err(AdminError::Conflict {
                    code: "exists",
                    detail: format!("a token named {name:?} exists already"),
                    next_step: Some("choose another name, or revoke it first: weir tokens revoke NAME".to_owned()),
                });
            }
            let tree = Tree::read(tx)?;
            let scope = if collections.is_empty() { by.scope().clone() } else { scope::named(&tree, &collections)? };
            if !by.scope().covers(&scope, |inner, outer| tree.lies_within(inner, outer)) {
                return Err(too_much(format!("{} does not reach all of these collections", by.name)));
            }
            let grant = Grant { role, scope };
            tx.token_put(&name, fresh, &by.name, Some((owner, &grant)), expires_at)?;
            let after =
                json!({ "owner": by.name, "role": role.word(), "collections": collections, "expires_at": expires_at });
            tx.audit("token.create", &name, None, Some(&after))?;
            let made = tx.token_named(&name)?.and_then(|token| shown(&tree, token));
            made.ok_or_else(|| AdminError::Internal("a token that was just made is not there".to_owned()))
        })
        .await?;
    Ok(TokenCreated { token, secret })
}

/// Revokes a token.
pub(crate) async fn delete(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    let by = caller.clone();
    app.write(caller, move |tx| {
        let token = tx.token_named(&name)?.filter(|token| sees(&by, token));
        let token = token.ok_or_else(|| AdminError::missing("token", format!("{name:?}"), "weir tokens list"))?;
        tx.token_delete(&token.name)?;
        tx.audit("token.revoke", &token.name, Some(&json!({ "owner": token.principal })), None)?;
        Ok(())
    })
    .await
}
