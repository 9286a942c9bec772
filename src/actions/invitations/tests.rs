use super::*;
use crate::db::Db;

/// A database with the owner `owner@x` and the project `shop`.
pub struct Office {
    db: Db,
    owner: Actor,
    _dir: tempfile::TempDir,
}

impl Office {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("dhow.db")).unwrap();
        let mut office = Self {
            db,
            owner: Actor::DHOW,
            _dir: dir,
        };
        office.owner = office.user("owner@x", Role::Owner).await;
        office
            .write(|tx| {
                let slug = crate::model::slug::ProjectSlug::parse("shop").unwrap();
                let name = crate::model::text::Name::parse("Shop").unwrap();
                Ok(db::projects::insert(tx, &slug, &name).map(|_| ())?)
            })
            .await
            .unwrap();
        office
    }

    pub fn owner(&self) -> Actor {
        self.owner.clone()
    }

    pub async fn user(&self, email: &str, role: Role) -> Actor {
        let address = Email::parse(email).unwrap();
        self.write(move |tx| Ok(db::users::insert(tx, &address, "hash", role)?))
            .await
            .unwrap();
        self.actor(email).await
    }

    pub async fn actor(&self, email: &str) -> Actor {
        let email = email.to_owned();
        let user = self.db.read(move |c| db::users::find_by_email(c, &email)).await;
        Actor::person(user.unwrap().unwrap())
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&db::Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(work).await
    }

    async fn invites(&self, actor: &Actor, email: &str, role: Role, in_shop: bool) -> Result<InvitationId> {
        let wanted = Wanted {
            email: Email::parse(email).unwrap(),
            role,
            place: in_shop.then(|| ("shop".to_owned(), ProjectRole::Developer)),
        };
        let actor = actor.clone();
        self.write(move |tx| invite(tx, &actor, &wanted, wanted.email.as_str().as_bytes()))
            .await
    }

    /// Accepts by the hash of the link's token, which is the address itself here.
    async fn accepts(&self, email: &str) -> Result<User> {
        let hash = email.as_bytes().to_vec();
        self.write(move |tx| accept(tx, [192, 0, 2, 1].into(), &hash, "hash"))
            .await
    }

    async fn member_of_shop(&self, email: &str, role: ProjectRole) -> Actor {
        let actor = self.user(email, Role::Member).await;
        let id = actor.user().unwrap().id;
        self.write(move |tx| {
            let shop = db::projects::find_by_slug(tx, "shop")?.unwrap();
            Ok(db::memberships::upsert(tx, shop.id, id, role)?)
        })
        .await
        .unwrap();
        actor
    }
}

#[tokio::test]
async fn an_invitation_works_once_and_gives_what_it_says() {
    let office = Office::open().await;
    let owner = office.owner();
    office.invites(&owner, "ann@x", Role::Member, true).await.unwrap();
    let user = office.accepts("ann@x").await.unwrap();
    assert_eq!((user.email.as_str(), user.role), ("ann@x", Role::Member));
    let role = office
        .write(move |tx| {
            let shop = db::projects::find_by_slug(tx, "shop")?.unwrap();
            Ok(db::memberships::find_role(tx, shop.id, user.id)?)
        })
        .await;
    assert_eq!(role.unwrap(), Some(ProjectRole::Developer));
    assert!(matches!(office.accepts("ann@x").await, Err(Error::NotFound)), "used");
    assert!(
        matches!(office.accepts("forged").await, Err(Error::NotFound)),
        "never made"
    );
    let again = office.invites(&owner, "ann@x", Role::Member, false).await;
    assert!(
        matches!(again, Err(Error::Invalid(_))),
        "a user is not invited: {again:?}"
    );
}

#[tokio::test]
async fn of_two_who_accept_at_once_one_wins() {
    let office = Office::open().await;
    office
        .invites(&office.owner(), "ann@x", Role::Admin, false)
        .await
        .unwrap();
    let (one, other) = tokio::join!(office.accepts("ann@x"), office.accepts("ann@x"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    // A reset meets no taken name that could stop the second.
    let (id, invited_by) = (one.or(other).unwrap().id, office.owner().user().map(|user| user.id));
    let reset = office.write(move |tx| {
        let email = Email::parse("ann@x").unwrap();
        let new = NewInvitation {
            token_hash: b"reset",
            email: &email,
            role: Role::Admin,
            place: None,
            resets: Some(id),
            invited_by,
            expires_at: Timestamp::now().plus_seconds(60),
        };
        Ok(db::invitations::insert(tx, &new)?)
    });
    reset.await.unwrap();
    let (one, other) = tokio::join!(office.accepts("reset"), office.accepts("reset"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

#[tokio::test]
async fn an_invitation_ends_by_its_time_by_being_taken_back_and_with_its_project() {
    let office = Office::open().await;
    let owner = office.owner();
    office.invites(&owner, "late@x", Role::Member, false).await.unwrap();
    let invited_by = owner.user().map(|user| user.id);
    let expired = office.write(move |tx| {
        let email = Email::parse("old@x").unwrap();
        let new = NewInvitation {
            token_hash: b"old@x",
            email: &email,
            role: Role::Member,
            place: None,
            resets: None,
            invited_by,
            expires_at: Timestamp::now(),
        };
        Ok(db::invitations::insert(tx, &new)?)
    });
    expired.await.unwrap();
    assert!(matches!(office.accepts("old@x").await, Err(Error::NotFound)), "expired");

    let id = office.invites(&owner, "back@x", Role::Member, false).await.unwrap();
    let actor = owner.clone();
    office.write(move |tx| take_back(tx, &actor, id)).await.unwrap();
    assert!(
        matches!(office.accepts("back@x").await, Err(Error::NotFound)),
        "taken back"
    );

    office.invites(&owner, "shop@x", Role::Member, true).await.unwrap();
    office
        .write(|tx| {
            let shop = db::projects::find_by_slug(tx, "shop")?.unwrap();
            Ok(db::projects::update_deleting(tx, shop.id)?)
        })
        .await
        .unwrap();
    assert!(
        matches!(office.accepts("shop@x").await, Err(Error::NotFound)),
        "its project goes"
    );
    assert!(office.accepts("late@x").await.is_ok());
}

#[tokio::test]
async fn nobody_invites_above_themselves() {
    let office = Office::open().await;
    let admin = office.user("admin@x", Role::Admin).await;
    let lead = office.member_of_shop("lead@x", ProjectRole::Admin).await;
    let developer = office.member_of_shop("dev@x", ProjectRole::Developer).await;
    let stranger = office.user("stranger@x", Role::Member).await;
    for (actor, role, in_shop, is_allowed) in [
        (&admin, Role::Owner, false, false),
        (&admin, Role::Admin, false, true),
        (&lead, Role::Member, true, true),
        (&lead, Role::Member, false, false),
        (&lead, Role::Admin, true, false),
        (&lead, Role::Owner, true, false),
        (&developer, Role::Member, true, false),
        (&stranger, Role::Member, true, false),
        (&stranger, Role::Member, false, false),
    ] {
        let email = format!("{}-{role}-{in_shop}@y", actor.user().unwrap().id);
        let result = office.invites(actor, &email, role, in_shop).await;
        assert_eq!(result.is_ok(), is_allowed, "{actor} {role} {in_shop}: {result:?}");
    }
}

#[tokio::test]
async fn an_invitation_counts_only_while_its_maker_could_make_it() {
    let office = Office::open().await;
    let admin = office.user("admin@x", Role::Admin).await;
    let lead = office.member_of_shop("lead@x", ProjectRole::Admin).await;
    office.invites(&admin, "a@x", Role::Admin, false).await.unwrap();
    office.invites(&lead, "b@x", Role::Member, true).await.unwrap();
    office.member_of_shop("other@x", ProjectRole::Viewer).await;
    let (admin_id, lead_id) = (admin.user().unwrap().id, lead.user().unwrap().id);
    office
        .write(move |tx| {
            let shop = db::projects::find_by_slug(tx, "shop")?.unwrap();
            db::users::update_role(tx, admin_id, Role::Member)?;
            Ok(db::memberships::upsert(tx, shop.id, lead_id, ProjectRole::Viewer)?)
        })
        .await
        .unwrap();
    for email in ["a@x", "b@x"] {
        assert!(matches!(office.accepts(email).await, Err(Error::NotFound)), "{email}");
    }
    office
        .write(move |tx| Ok(db::users::update_role(tx, admin_id, Role::Admin)?))
        .await
        .unwrap();
    office
        .write(move |tx| Ok(db::users::update_deactivated(tx, admin_id, Some(Timestamp::now()))?))
        .await
        .unwrap();
    assert!(
        matches!(office.accepts("a@x").await, Err(Error::NotFound)),
        "of one deactivated"
    );
    office
        .write(move |tx| Ok(db::users::update_deactivated(tx, admin_id, None)?))
        .await
        .unwrap();
    assert!(office.accepts("a@x").await.is_ok(), "in the right again");
}
