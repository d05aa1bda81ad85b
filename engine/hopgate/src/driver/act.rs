//! Changing requests. Called by the driver alone, and only for a call whose intent is durable.

use hopgate_core::device::{Action, Call, Input};
use hopgate_panos::{CallError, Class, JobId};

use super::hands::{Hands, failure};

impl Hands {
    /// Sends one changing request, once. What is not clearly taken or clearly refused is `Unanswered`.
    pub(super) async fn send(&self, call: Call) -> Input {
        let client = self.client();
        let result = match call.action {
            Action::Download(version) => client.download(version).await.map(Some),
            Action::Install(version) => client.install(version).await.map(Some),
            Action::Suspend => client.suspend().await.map(|()| None),
            Action::MakeFunctional => client.functional().await.map(|()| None),
            Action::Restart => client.restart().await.map(|()| None),
        };
        outcome(call, result)
    }
}

fn outcome(call: Call, result: Result<Option<JobId>, CallError>) -> Input {
    match result {
        Ok(job) => Input::Answered {
            call,
            job: job.map(|JobId(job)| job),
        },
        Err(error) => match error.class() {
            Class::Retryable | Class::Refused => Input::Refused {
                call,
                failure: failure(&error),
            },
            Class::Indeterminate => Input::Unanswered {
                call,
                failure: failure(&error),
            },
        },
    }
}
