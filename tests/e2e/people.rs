//! People: invited by a link, let in once, seeing and doing only what their role allows, and put out at once.

use serde_json::json;

use crate::harness::api::Api;
use crate::harness::browser::{Browser, SHOWN_WITHIN};
use crate::harness::dhow::{Dhow, OWNER, PASSWORD};
use crate::harness::panel::{Page, Panel};
use crate::harness::visitor::Visitor;
use crate::harness::wait::seconds;
use crate::harness::words;

/// The path of a link that a page or an answer shows.
fn path_of(text: &str, dhow: &Dhow) -> String {
    let start = format!("{}/invitations/", dhow.url());
    let link = text.split(['<', '>', '"']).find(|part| part.starts_with(&start));
    let link = link.unwrap_or_else(|| panic!("no link that begins with {start} in {text}"));
    link[dhow.url().len()..].to_owned()
}

/// Opens an invitation's link and chooses a password; the visitor is signed in afterwards.
async fn accept(dhow: &Dhow, path: &str) -> Panel {
    let panel = Panel::stranger(&dhow.url());
    let form = panel.page(path).await.form(&["password"]).set("password", PASSWORD);
    panel.submit_and_follow(path, &form).await.expect_words("Welcome");
    panel
}

/// Lets somebody in by the API: a person with a role, perhaps in a project.
async fn join(dhow: &Dhow, api: &Api, email: &str, role: &str, place: Option<(&str, &str)>) -> Panel {
    let mut body = json!({ "email": email, "role": role });
    if let Some((project, role)) = place {
        body["project"] = json!(project);
        body["project_role"] = json!(role);
    }
    let made = api.post("/invitations", body).await.expect(201).json();
    accept(dhow, &path_of(made["link"].as_str().unwrap(), dhow)).await
}

/// A client of the API with a token of anybody.
async fn api_of(dhow: &Dhow, email: &str) -> Api {
    let arguments = ["token", "create", "--user", email, "--name", "t", "--scope", "admin"];
    let outcome = dhow.verb(&arguments, "").await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    Api::new(&dhow.url(), outcome.stdout.trim())
}

async fn refused(panel: &Panel, path: &str, form: &crate::harness::form::Form, status: u16) -> Page {
    Page {
        path: path.to_owned(),
        answer: panel.submit(path, form).await.expect(status),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_sees_the_given_project_alone() {
    let dhow = Dhow::start().await;
    let api = dhow.owner().await;
    api.create_project("Shop").await;
    api.create_project("Secret").await;
    let owner = dhow.panel().await;
    let users = owner.page("/").await.link("Users");
    let form = owner.page(&users).await.form(&["email", "project"]);
    let form = form.set("email", "Ann@Example.com").set("project", "shop");
    let page = owner.submit_and_follow(&users, &form).await;
    let page = page
        .expect_words("ann@example.com joins with this link")
        .expect_words("in 7 days");
    let link = path_of(&page.html(), &dhow);
    let again = owner.page(&users).await.expect_words("member, viewer of shop");
    assert!(!again.html().contains(&link), "a link is shown once");
    let database = std::fs::read(dhow.data_file("dhow.db")).unwrap();
    let wal = std::fs::read(dhow.data_file("dhow.db-wal")).unwrap();
    let token = link.rsplit('/').next().unwrap().as_bytes();
    let is_stored = [database, wal].concat().windows(token.len()).any(|part| part == token);
    assert!(!is_stored, "a copy of the database lets nobody in");
    assert!(!dhow.lines().text().contains(std::str::from_utf8(token).unwrap()));

    let ann = Panel::stranger(&dhow.url());
    let form = ann.page(&link).await.expect_words(OWNER).form(&["password"]);
    refused(&ann, &link, &form.clone().set("password", "short"), 422)
        .await
        .expect_words("Use 10 to 200 characters");
    assert!(ann.cookies().is_empty(), "nobody is signed in by a refused password");
    let form = form.set("password", PASSWORD);
    let home = ann.submit_and_follow(&link, &form).await.expect_words("Shop");
    assert!(!home.words().contains("Secret") && !home.html().contains("/admin/users"));
    Panel::sign_in(&dhow.url(), "ann@example.com", PASSWORD).await;
    ann.page("/projects/shop/members").await.expect_words("ann@example.com");
    for hidden in ["/projects/secret", "/projects/secret/members"] {
        ann.get(hidden).await.expect(404);
    }
    ann.get("/admin/users").await.expect(403);

    // Used, taken back, too old, forged: one and the same page.
    let made = |email: &'static str| {
        let api = api.clone();
        async move {
            api.post("/invitations", json!({ "email": email }))
                .await
                .expect(201)
                .json()
        }
    };
    let (back, old) = (made("back@example.com").await, made("old@example.com").await);
    let back_link = path_of(back["link"].as_str().unwrap(), &dhow);
    let old_link = path_of(old["link"].as_str().unwrap(), &dhow);
    api.delete(&format!("/invitations/{}", back["id"])).await.expect(204);
    rusqlite::Connection::open(dhow.data_file("dhow.db"))
        .unwrap()
        .execute(
            "UPDATE invitations SET expires_at = 0 WHERE email = 'old@example.com'",
            [],
        )
        .unwrap();
    let forged = "/invitations/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let visitor = Panel::stranger(&dhow.url());
    let expected = visitor.get(&forged).await.expect(404).text();
    assert!(expected.contains("This link is not good"), "{expected}");
    for bad in [link, back_link, old_link, forged] {
        assert_eq!(visitor.get(&bad).await.expect(404).text(), expected, "{bad}");
        let page = refused(&visitor, &bad, &form.clone().with_action(&bad), 404).await;
        assert_eq!(page.html(), expected, "{bad}");
    }
    assert!(visitor.cookies().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_in_a_project_shows_on_its_pages_and_in_the_api() {
    let dhow = Dhow::start().await;
    let owner = dhow.owner().await;
    owner.create_project("Shop").await;
    let app = json!({ "name": "web", "source": { "kind": "push" }, "port": 3000 });
    owner.post("/projects/shop/apps", app).await.expect(201);
    for role in ["viewer", "developer", "admin"] {
        let email = format!("{role}@example.com");
        let panel = join(&dhow, &owner, &email, "member", Some(("shop", role))).await;
        let api = api_of(&dhow, &email).await;
        let (is_developer, is_admin) = (role != "viewer", role == "admin");

        let project = panel.page("/projects/shop").await;
        assert_eq!(project.words().contains(words::NEW_APP), is_developer, "{role}");
        assert_eq!(project.words().contains("Delete this project"), is_admin, "{role}");
        let members = panel.page(&project.link("Members")).await.expect_words(&email);
        for button in ["Add member", "Remove", "Change"] {
            assert_eq!(members.words().contains(button), is_admin, "{role} {button}");
        }

        let name = format!("{role}-made");
        let new = json!({ "name": name, "source": { "kind": "push" }, "port": 3000 });
        let made = api.post("/projects/shop/apps", new).await;
        made.expect(if is_developer { 201 } else { 403 });
        let listed = api.read("/projects/shop/members").await;
        assert_eq!(listed["items"][0]["email"], json!(email), "newest first: {listed:#}");
        let set = api.put("/projects/shop/members/viewer@example.com", json!({ "role": "viewer" }));
        set.await.expect(if is_admin { 200 } else { 403 });
        let gone = api.delete("/projects/shop/members/nobody@example.com").await;
        gone.expect(if is_admin { 404 } else { 403 });
    }
    let stranger = join(&dhow, &owner, "stranger@example.com", "member", None).await;
    stranger.page("/").await;
    let api = api_of(&dhow, "stranger@example.com").await;
    assert_eq!(api.read("/projects").await["items"], json!([]));
    let set = json!({ "role": "admin" });
    for answer in [
        api.get("/projects/shop/members").await,
        api.get("/apps/web").await,
        api.put("/projects/shop/members/stranger@example.com", set).await,
        api.delete("/projects/shop/members/viewer@example.com").await,
    ] {
        answer.problem(404);
    }
    for path in ["/projects/shop", "/projects/shop/members", "/apps/web"] {
        stranger.get(path).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_admin_says_who_belongs_to_it() {
    let dhow = Dhow::start().await;
    let owner = dhow.owner().await;
    owner.create_project("Shop").await;
    join(&dhow, &owner, "bob@example.com", "member", None).await;
    let lead = join(&dhow, &owner, "lead@example.com", "member", Some(("shop", "admin"))).await;
    let path = "/projects/shop/members";
    let form = lead.page(path).await.form_of_button("Add member");

    // Somebody who is there already is a member at once, and another role replaces the first.
    let bob = form.clone().set("email", "BOB@example.com").set("role", "developer");
    lead.submit_and_follow(path, &bob)
        .await
        .expect_words("bob@example.com is developer of Shop now");
    let bob = Panel::sign_in(&dhow.url(), "bob@example.com", PASSWORD).await;
    bob.page("/projects/shop").await.expect_words(words::NEW_APP);
    owner
        .put(&format!("{path}/bob@example.com"), json!({ "role": "viewer" }))
        .await
        .expect(200);
    let seen = bob.page("/projects/shop").await;
    assert!(!seen.words().contains(words::NEW_APP), "the next page knows it");

    // A new address gets a link; a bad one and a bad role are told at the field.
    let page = lead
        .submit_and_follow(path, &form.clone().set("email", "new@example.com"))
        .await;
    accept(&dhow, &path_of(&page.html(), &dhow))
        .await
        .page("/projects/shop")
        .await;
    refused(&lead, path, &form.clone().set("email", "nobody"), 422)
        .await
        .expect_words("Use an e-mail address");
    refused(
        &lead,
        path,
        &form.clone().set("email", "bob@example.com").set("role", "owner"),
        422,
    )
    .await;
    owner
        .put(&format!("{path}/nobody@example.com"), json!({ "role": "viewer" }))
        .await
        .refuses("email");

    // What is taken away is gone at once.
    let remove = lead
        .page(path)
        .await
        .form_of_button("Remove")
        .set("email", "bob@example.com");
    lead.submit_and_follow(path, &remove).await.expect_words("was removed");
    bob.get("/projects/shop").await.expect(404);
    lead.submit_and_follow(path, &remove).await;
    // Of what an admin of the project may take back, they see all, and nothing else.
    let theirs = lead
        .submit_and_follow(path, &form.set("email", "third@example.com"))
        .await;
    owner
        .post("/invitations", json!({ "email": "elsewhere@example.com" }))
        .await
        .expect(201);
    let api = api_of(&dhow, "lead@example.com").await;
    let open = api.read("/invitations").await;
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open:#}");
    let all = owner.read("/invitations").await;
    assert_eq!(all["items"][0]["email"], "elsewhere@example.com");
    assert!(all.to_string().contains("third@") && !all.to_string().contains("link"));
    api.delete(&format!("/invitations/{}", all["items"][0]["id"]))
        .await
        .problem(404);
    let taken = lead.submit_and_follow(path, &theirs.form_of_button("Take back")).await;
    taken.expect_words("good no more");
    assert_eq!(api.read("/invitations").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_more_than_they_have() {
    let dhow = Dhow::start().await;
    let owner = dhow.owner().await;
    owner.create_project("Shop").await;
    let admin = join(&dhow, &owner, "admin@example.com", "admin", None).await;
    let lead = join(&dhow, &owner, "lead@example.com", "member", Some(("shop", "admin"))).await;
    let (admin_api, lead_api) = (
        api_of(&dhow, "admin@example.com").await,
        api_of(&dhow, "lead@example.com").await,
    );
    let invitation =
        |role: &str, project: Option<&str>| json!({ "email": "x@example.com", "role": role, "project": project });
    for (api, body) in [
        (&admin_api, invitation("owner", None)),
        (&lead_api, invitation("member", None)),
        (&lead_api, invitation("admin", Some("shop"))),
        (&lead_api, invitation("owner", Some("shop"))),
    ] {
        api.post("/invitations", body).await.problem(403);
    }
    for (api, email, body) in [
        (&admin_api, OWNER, json!({ "role": "member" })),
        (&admin_api, OWNER, json!({ "active": false })),
        (&admin_api, "admin@example.com", json!({ "role": "owner" })),
        (&lead_api, "lead@example.com", json!({ "role": "admin" })),
        (&lead_api, "nobody@example.com", json!({ "active": false })),
    ] {
        api.patch(&format!("/users/{email}"), body).await.problem(403);
    }
    lead_api.get("/users").await.problem(403);
    admin_api
        .patch("/users/nobody@example.com", json!({}))
        .await
        .problem(404);
    for bad in [
        json!({ "role": "king" }),
        json!({ "role": null }),
        json!({ "active": "no" }),
        json!({ "x": 1 }),
    ] {
        let body = bad.to_string();
        let answer = admin_api.patch("/users/lead@example.com", bad).await;
        assert_eq!(answer.status, 422, "{body}");
    }

    // On the page: no button for what is not allowed, and a forged form is refused.
    let users = admin.page("/admin/users").await;
    assert!(!users.html().contains(&format!("Deactivate {OWNER}")) && !users.html().contains(">owner</option>"));
    let forms = users.form_of_button("Deactivate");
    refused(&admin, "/admin/users", &forms.clone().set("email", OWNER), 403).await;
    let reset = users.form_of_button("Reset password");
    refused(&admin, "/admin/users", &reset.clone().set("email", OWNER), 403).await;
    for form in [
        forms,
        reset,
        users.form(&["email", "project"]).set("email", "y@example.com"),
    ] {
        refused(&lead, "/admin/users", &form, 403).await;
    }
    // The last owner stays one.
    for change in [json!({ "role": "admin" }), json!({ "active": false })] {
        let problem = owner.patch(&format!("/users/{OWNER}"), change).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("last owner"), "{problem}");
    }
    owner
        .patch("/users/admin@example.com", json!({ "role": "owner" }))
        .await
        .expect(200);
    let former = owner
        .patch(&format!("/users/{OWNER}"), json!({ "role": "member" }))
        .await
        .expect(200);
    assert_eq!(former.json()["role"], "member");
    owner.get("/users").await.problem(403);
    owner.post("/invitations", json!({ "email": OWNER })).await.problem(403);
    admin_api
        .post("/invitations", json!({ "email": OWNER }))
        .await
        .refuses("email");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_or_reset_is_out_at_once() {
    let dhow = Dhow::start().await;
    let owner = dhow.owner().await;
    let ann = join(&dhow, &owner, "ann@example.com", "member", None).await;
    let api = api_of(&dhow, "ann@example.com").await;
    api.get("/projects").await.expect(200);
    let panel = dhow.panel().await;
    let users = "/admin/users";
    // A browser that is not used meanwhile.
    let elsewhere = Panel::sign_in(&dhow.url(), "ann@example.com", PASSWORD).await;
    let cookies = ann.cookie_header();
    let headers = [("cookie", cookies.as_str()), ("hx-request", "true")];
    let mut stream = dhow
        .http
        .open(&format!("{}/dashboard/events?seen=", dhow.url()), &headers)
        .await;
    assert_eq!(stream.status, 200);
    let form = panel.page(users).await.form_of_button("Deactivate");
    assert_eq!(form.value("email"), Some("ann@example.com"));
    panel.submit_and_follow(users, &form).await.expect_words("deactivated");
    stream.rest("their open stream ends at once", seconds(5)).await;
    ann.get("/account").await.expect(303);
    api.get("/projects").await.problem(401);
    let stranger = Panel::stranger(&dhow.url());
    let login = stranger.page("/login").await.form(&["email", "password"]);
    let login = login.set("email", "ann@example.com").set("password", PASSWORD);
    stranger.submit("/login", &login).await.expect(422);

    let form = panel.page(users).await.form_of_button("Let in again");
    panel
        .submit_and_follow(users, &form)
        .await
        .expect_words("may sign in again");
    api.get("/projects").await.expect(200);
    elsewhere.get("/account").await.expect(303);
    let ann = Panel::sign_in(&dhow.url(), "ann@example.com", PASSWORD).await;

    // A reset ends the sessions and lets its person choose a password; the next reset ends the link before it.
    let form = panel.page(users).await.form_of_button("Reset password");
    let first = path_of(&panel.submit_and_follow(users, &form).await.html(), &dhow);
    ann.get("/account").await.expect(303);
    let page = panel.submit_and_follow(users, &form).await;
    let second = path_of(&page.expect_words("ann@example.com sets a new password").html(), &dhow);
    stranger.get(&first).await.expect(404);
    let form = stranger.page(&second).await.form(&["password"]);
    let chosen = form.set("password", "another long password");
    let answer = stranger.submit(&second, &chosen).await.expect(303);
    assert_eq!(answer.header("location"), "/login", "the link alone is no sign-in");
    assert!(stranger.cookies().is_empty());
    stranger.submit(&second, &chosen).await.expect(404);
    stranger.submit("/login", &login).await.expect(422);
    Panel::sign_in(&dhow.url(), "ann@example.com", "another long password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_about_people_are_usable_by_everybody() {
    let dhow = Dhow::start().await;
    let owner = dhow.owner().await;
    owner.create_project("Shop").await;
    for (email, role, place) in [
        ("bea@example.com", "admin", None),
        (
            "a.rather-long-address.of-somebody@department.example.com",
            "member",
            Some(("shop", "developer")),
        ),
        ("carl@example.com", "member", Some(("shop", "viewer"))),
    ] {
        join(&dhow, &owner, email, role, place).await;
    }
    owner
        .patch("/users/carl@example.com", json!({ "active": false }))
        .await
        .expect(200);
    for (name, visitor) in [
        (
            "light-1280",
            Visitor {
                width: 1280,
                ..Visitor::default()
            },
        ),
        (
            "dark-360",
            Visitor {
                width: 360,
                dark: true,
                javascript: false,
            },
        ),
    ] {
        let browser = Browser::open_as(visitor).await;
        browser.sign_in(&dhow).await;
        browser.resize(visitor.width, 1600).await;
        for (page, button) in [
            ("/admin/users", "Make invitation"),
            ("/projects/shop/members", "Add member"),
        ] {
            let title = page.trim_start_matches('/').replace('/', "-");
            browser.goto(&format!("{}{page}", dhow.url())).await;
            let email = format!("{name}-{title}@example.com");
            browser.fill("email", &email).await;
            browser.click(button).await;
            browser.see("joins with this link", SHOWN_WITHIN).await;
            browser.look(&format!("people-{title}-{name}")).await;
            let link = browser
                .client
                .find(fantoccini::Locator::Css(".notice code"))
                .await
                .unwrap();
            let link = link.text().await.unwrap();
            browser.goto(&link).await;
            browser.see("Join this Dhow", SHOWN_WITHIN).await;
            browser.look(&format!("people-join-{title}-{name}")).await;
        }
        browser.goto(&format!("{}/invitations/forged", dhow.url())).await;
        browser.look(&format!("people-refused-{name}")).await;
        // The refused link is a 404, which the console notes.
        browser.console().await;
        browser.finish().await;
    }
}
