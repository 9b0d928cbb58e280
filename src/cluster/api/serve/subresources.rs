//! Requests to parts of objects.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::json;

use super::answer::{json_answer, scale_answer, success, warn, with_status};
use super::{Asked, Frontend, Target};
use crate::cluster::api::connect::PodCall;
use crate::cluster::api::deletion::DeleteOptions;
use crate::cluster::api::status::Refusal;
use crate::cluster::api::write::{Call, Part, Patch};
use crate::cluster::api::{accept, body, subresource};

impl Frontend {
    pub(super) async fn subresource(
        &self,
        target: &Target,
        verb: &str,
        mut asked: Asked,
    ) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let sub = target.sub();
        if !resource.has(sub) {
            return Err(if resource.custom.is_some() && matches!(sub, "status" | "scale") {
                Refusal::not_found(&resource.group, &resource.plural, &target.path.name)
            } else {
                Refusal::unknown_resource()
            });
        }
        if !resource.answers(verb, sub) {
            return Err(Refusal::method_not_allowed());
        }
        let asked_part = match sub {
            "status" => Some(Part::Status),
            "finalize" => Some(Part::Other("finalize")),
            "approval" => Some(Part::Other("approval")),
            "resize" => Some(Part::Other("resize")),
            "ephemeralcontainers" => Some(Part::Other("ephemeralcontainers")),
            _ => None,
        };
        match (sub, asked_part, verb) {
            (_, Some(_), "get") => self.get(target, &asked),
            (_, Some(part), "update") => self.update(target, part, &mut asked).await,
            (_, Some(part), "patch") => self.patch(target, part, &mut asked).await,
            ("scale", ..) => self.scale(target, verb, &mut asked).await,
            ("log" | "exec" | "attach" | "portforward" | "proxy", ..) => {
                let call = PodCall {
                    resource: resource.plural.clone(),
                    key: target.key(),
                    subresource: sub.to_owned(),
                    rest: target.path.rest.clone(),
                    query: asked.query,
                    request: asked.request,
                };
                self.runtime.answer(call).await
            }
            ("eviction", _, "create") => self.evict(target, &mut asked).await,
            ("token", _, "create") => self.token(target, &mut asked).await,
            ("binding", _, "create") => {
                let options = asked.write_options("CreateOptions")?;
                let body = asked.body().await?;
                let (binding, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Binding")?;
                let call = Call { user: &asked.user, options: &options };
                self.api.bind(&call, resource, &target.key(), &binding)?;
                Ok(with_status(json_answer(&success(201)), StatusCode::CREATED))
            }
            _ => Err(Refusal::method_not_allowed()),
        }
    }

    pub(super) async fn scale(
        &self,
        target: &Target,
        verb: &str,
        asked: &mut Asked,
    ) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let wanted = accept::choose(asked.accept(), false)?;
        if verb == "get" {
            let object = self.api.get(resource, &target.key())?;
            let scale = subresource::scale_of(resource, &object.value());
            return Ok(scale_answer(&scale, wanted, self.api.now()));
        }
        let options = asked.write_options("UpdateOptions")?;
        let call_user = asked.user.clone();
        let call = Call { user: &call_user, options: &options };
        let scale = if verb == "update" {
            let body = asked.body().await?;
            let (scale, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Scale")?;
            self.api.rescale(&call, resource, &target.key(), |_| Ok(scale.clone()))?
        } else {
            let (patch, _) = self.read_patch(resource, asked, &options).await?;
            self.api.rescale(&call, resource, &target.key(), |current| match &patch {
                Patch::Json(patch) => crate::cluster::api::patch::json(current, patch),
                Patch::Merge(patch) | Patch::Strategic(patch) | Patch::Apply(patch) => {
                    crate::cluster::api::patch::merge(current, patch)
                }
            })?
        };
        Ok(scale_answer(&scale, wanted, self.api.now()))
    }

    pub(super) async fn token(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let options = asked.write_options("CreateOptions")?;
        let body = asked.body().await?;
        let request =
            body::part(&target.resource, "token", &body, asked.header(header::CONTENT_TYPE), options.unknown)?;
        let answered = self.api.request_token(
            &target.resource,
            &target.key(),
            request.object,
            &crate::cluster::api::write::random_uid()?,
        )?;
        let mut response = with_status(json_answer(&answered), StatusCode::CREATED);
        warn(&mut response, request.warnings);
        Ok(response)
    }

    pub(super) async fn evict(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let body = asked.body().await?;
        let (eviction, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Eviction")?;
        let options = eviction.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
        let mut options = DeleteOptions::of(&options)?;
        options.dry_run |= asked.write_options("CreateOptions")?.dry_run;
        self.api.evict(&target.resource, &target.key(), &options)?;
        Ok(with_status(json_answer(&success(201)), StatusCode::CREATED))
    }
}
