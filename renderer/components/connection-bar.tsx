// A bar over everything while the engine cannot be reached. Reconnecting goes on by itself.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useDesk, useLink } from '../state/lab.ts'

/** Nothing while the connection stands. */
export function ConnectionBar() {
  const { t } = useTranslation()
  const { bridge } = useDesk().engine
  if (useLink() !== 'lost') return null
  return (
    <div className="lost" role="alert" data-testid="connection-lost">
      <span>{bridge ? t('connection.lostDesktop') : t('connection.lost')}</span>
      <Button size="compact-xs" variant="white" color="dark" onClick={() => location.reload()}>
        {t('connection.reload')}
      </Button>
    </div>
  )
}
