// What this program is, and what it stands on.

import { useTranslation } from 'react-i18next'

/** Plain words and the licence. */
export function AboutPage() {
  const { t } = useTranslation()
  return (
    <div className="stack readable">
      <strong style={{ fontSize: 15 }}>Labdesk</strong>
      <p className="hush">{t('about.text')}</p>
      <p className="hush">{t('about.method')}</p>
      <p className="hush">{t('about.demo')}</p>
      <p className="hush dim">{t('about.licence')}</p>
    </div>
  )
}
