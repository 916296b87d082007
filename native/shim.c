#include "shim.h"

_Noreturn void run_shim(struct actor *self, int report_fd) {
  share_pages(self);
  struct failure failure = start(self, true);
  write_report(self, report_fd, failure, 0);
  end_process(failure.error == 0 ? 0 : 1);
}
