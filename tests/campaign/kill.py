#!/usr/bin/env python3
"""SIGKILL at every call that changes something, in a pull, a build and a prune.

One process dies at its k-th call of a kind. At every other point all processes of the run die with it; at the others those that
remain must end by themselves.
"""
import campaign

SHORT = 14  # of each phase


def main():
    opts = campaign.options(__doc__)
    image, report = campaign.Image(), campaign.Report("kill")
    for name, state, command, prune, room in image.phases():
        image.restore(state)
        points = [(call, k) for call, most in sorted(image.calls(command).items()) for k in range(1, most + 1)]
        for i, (call, k) in enumerate(campaign.sample(points, SHORT if opts.short else opts.points)):
            for kill_all in [i % 2 == 0] if opts.short or opts.points else [True, False]:
                image.restore(state)
                status, messages, met = image.traced(
                    command, ["-e", "trace=" + call, "--inject=%s:signal=KILL:when=%d" % (call, k)], kill_all)
                wrong = ["it hangs"] if status is None and not (met and kill_all) else []
                report.note("killed" if met else "not met")
                report.point("%s, %s %d%s" % (name, call, k, ", all" if kill_all else ""), wrong + image.judge(prune, room))
    report.end()


main()
