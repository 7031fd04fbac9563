// The proof of being offline: what blocks the network, what was blocked, what got out.

import { useTranslation } from 'react-i18next'
import type { OfflineProof } from '../../../main/contract/workspace.ts'
import { Figures } from '../../components/facts.tsx'
import { Grid } from '../../components/grid.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount, formatWhen } from '../../format.ts'
import { useRead } from '../../state/lab.ts'

/** Evidence since the start of the app. */
export function OfflinePage() {
  const proof = useRead('workspace.offline', {})
  return <Reading of={proof}>{(value) => <Proof proof={value} />}</Reading>
}

function Proof({ proof }: { proof: OfflineProof }) {
  const { t } = useTranslation()
  const { allowedHost } = proof
  return (
    <div data-testid="offline-proof">
      <div className="stack">
        <p className="hush readable">{t('offline.text')}</p>
        {allowedHost && (
          <p className="readable" role="status">
            <strong>{t('offline.allowed', { host: allowedHost.host })}</strong>
          </p>
        )}
        <Figures
          of={[
            [t('offline.connections'), formatCount(allowedHost?.connectionCount ?? 0)],
            [t('offline.blocked'), formatCount(proof.outgoingConnectionCount)],
            [t('offline.host'), t(`offline.hosts.${proof.host}`)],
          ]}
        />
      </div>
      <Section title={t('offline.measures')}>
        <ul className="readable" style={{ margin: 0, paddingLeft: 18 }}>
          {proof.measures.map((measure) => (
            <li key={measure}>{measure}</li>
          ))}
        </ul>
      </Section>
      {proof.blockedRequests.length > 0 && (
        <Section title={t('offline.blocked')}>
          <Grid
            label={t('offline.blocked')}
            rows={proof.blockedRequests}
            keyOf={({ atMs, url }) => `${atMs} ${url}`}
            columns={[
              { key: 'when', title: t('offline.when'), render: ({ atMs }) => formatWhen(atMs) },
              { key: 'url', title: t('offline.address'), render: ({ url }) => <span className="mono">{url}</span> },
            ]}
          />
        </Section>
      )}
    </div>
  )
}
