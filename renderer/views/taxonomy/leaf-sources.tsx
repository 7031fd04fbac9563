// What stands beside a leaf: its documents and where they come from, the file it was imported from, what was made from it.

import { useTranslation } from 'react-i18next'
import type { LeafDetail } from '../../../main/contract/taxonomy.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { hrefOf } from '../../state/route.ts'

/** Read-only facts with links to the screens that change them. */
export function LeafSources({ leaf }: { leaf: LeafDetail }) {
  const { t } = useTranslation()
  return (
    <Section title={t('taxonomy.around')}>
      <Facts
        of={[
          [
            t('screens.documents'),
            <a key="documents" href={hrefOf('documents', leaf.path)}>
              {leaf.documents.length > 0
                ? leaf.documents.map(({ name }) => name).join(', ')
                : t('taxonomy.noDocuments')}
            </a>,
          ],
          [
            t('taxonomy.candidates'),
            t('taxonomy.acceptedOf', {
              accepted: formatCount(leaf.acceptedCount),
              candidates: formatCount(leaf.candidateCount),
            }),
          ],
          leaf.datasetRowCount > 0 && [t('taxonomy.datasetRows'), formatCount(leaf.datasetRowCount)],
          leaf.documentSource !== null && [
            t('taxonomy.documentSource'),
            <span key="source" className="mono">
              {leaf.documentSource.repo} @ {leaf.documentSource.commit.slice(0, 12)}:{' '}
              {leaf.documentSource.patterns.join(', ')}
            </span>,
          ],
        ]}
      />
      {leaf.sourceText !== null && (
        <details style={{ marginTop: 10 }}>
          <summary>{t('taxonomy.sourceText')}</summary>
          <pre className="text-box mono" style={{ marginTop: 6 }}>
            {leaf.sourceText}
          </pre>
        </details>
      )}
    </Section>
  )
}
