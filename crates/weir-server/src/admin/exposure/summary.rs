//! How exposed computers are, in one answer.

use weir_api::exposure::{CollectionQuery, Summary};
use weir_model::{ids::CollectionId, rights::Scope};

use super::{
    super::{AdminError, App, servers},
    computers::affected,
    cves::judge,
    judged::add_levels,
    spread::Counting,
};

/// The summary of a collection.
pub(crate) async fn show(app: &App, scope: Scope, query: CollectionQuery) -> Result<Summary, AdminError> {
    let (live, collection) = (app.state.live.clone(), query.collection.clone());
    let (judge, tree, weights) = judge(app, scope, query.collection).await?;
    app.try_read(move |tx| {
        let within = match &collection {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        };
        let mut summary = Summary {
            documents: tx.exposure_documents()?.len() as u64,
            computers: weights.iter().sum(),
            rolled_up: servers::oldest_within(tx, &live, &tree, within, None)?,
            as_of: Some(judge.now),
            ..Summary::default()
        };
        let counting = Counting::new(&judge, &weights);
        for it in judge.base.known.vulnerabilities.values().filter(|it| it.shape.is_some()) {
            let counted = counting.of(it);
            let states = &counted.states;
            summary.cves += 1;
            summary.cves_exposed += u64::from(states.exposed > 0);
            summary.cves_exploited += u64::from(states.exposed > 0 && it.is_exploited());
            summary.cves_no_data += u64::from(states.no_data == summary.computers);
            let pairs = &mut summary.pairs;
            pairs.exposed += states.exposed;
            pairs.no_data += states.no_data;
            pairs.fixed += states.fixed;
            pairs.not_affected += states.not_affected;
            add_levels(&mut summary.levels, &counted.levels);
        }
        let silent = judge.population.classes.iter().zip(&weights).filter(|(class, _)| !class.reported());
        summary.computers_silent = silent.map(|(_, weight)| weight).sum();
        let affected = affected(&judge, &weights);
        (summary.computers_exposed, summary.computers_breached) = (affected.exposed, affected.breached);
        Ok(summary)
    })
    .await
}
