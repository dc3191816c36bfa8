//! How exposed computers are, in one answer.

use weir_api::exposure::{CollectionQuery, Summary};

use super::{
    super::{AdminError, App},
    computers::affected,
    cves::judge,
};

/// The summary of a collection.
pub(crate) async fn show(app: &App, query: CollectionQuery) -> Result<Summary, AdminError> {
    let (judge, _, weights) = judge(app, query.collection).await?;
    app.try_read(move |tx| {
        let mut summary = Summary {
            documents: tx.exposure_documents()?.len() as u64,
            computers: weights.iter().sum(),
            as_of: Some(judge.population.at),
            ..Summary::default()
        };
        for it in judge.base.known.vulnerabilities.values().filter(|it| it.shape.is_some()) {
            let counted = judge.count(it, &weights);
            let (states, levels) = (&counted.states, &counted.levels);
            summary.cves += 1;
            summary.cves_exposed += u64::from(states.exposed > 0);
            summary.cves_exploited += u64::from(states.exposed > 0 && it.is_exploited());
            summary.cves_no_data += u64::from(states.no_data == summary.computers);
            let pairs = &mut summary.pairs;
            pairs.exposed += states.exposed;
            pairs.no_data += states.no_data;
            pairs.fixed += states.fixed;
            pairs.not_affected += states.not_affected;
            let all = &mut summary.levels;
            all.breached += levels.breached;
            all.due_soon += levels.due_soon;
            all.within += levels.within;
            all.excepted += levels.excepted;
            all.none += levels.none;
        }
        let silent = judge.population.classes.iter().zip(&weights).filter(|(class, _)| !class.reported);
        summary.computers_silent = silent.map(|(_, weight)| weight).sum();
        let affected = affected(&judge, &weights);
        (summary.computers_exposed, summary.computers_breached) = (affected.exposed, affected.breached);
        Ok(summary)
    })
    .await
}
