namespace Merge.Plugin.Searchers;

/// <summary>
/// Whether scores have stopped moving: over the last 10 + ⌈30n/λ⌉ generations the best ones, and in the newest all, are
/// equal to float64's last digits (the tutorial's B.3, TolFun).
/// </summary>
internal sealed class Stall(CmaSettings settings)
{
    private const double Equal = 1e-12;

    private readonly int _generations = 10 + (int)Math.Ceiling(30.0 * settings.N / settings.Lambda);
    private readonly Queue<double> _best = [];
    private bool _isFlat;

    public bool IsReached => _isFlat && _best.Count == _generations && IsLevel(_best);

    public void Add(double[] scores)
    {
        if (_best.Count == _generations)
            _best.Dequeue();
        _best.Enqueue(scores.Max());
        _isFlat = IsLevel(scores);
    }

    private static bool IsLevel(IReadOnlyCollection<double> scores) =>
        scores.Max() - scores.Min() <= Equal * Math.Max(1, Math.Abs(scores.Max()));
}
