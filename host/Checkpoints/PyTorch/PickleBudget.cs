namespace Merge.Checkpoints.PyTorch;

/// <summary>
/// Memory that the values of one pickle may take, counted where they are made: a few bytes of a pickle can ask for much.
/// </summary>
/// <param name="stream">For messages.</param>
/// <param name="most">Bytes.</param>
internal sealed class PickleBudget(PickleStream stream, long most = PickleBudget.Most)
{
    /// <summary>Enough for about 300 000 tensors.</summary>
    public const long Most = 256L << 20;

    /// <summary>What one object takes beside its content, about.</summary>
    public const int ObjectBytes = 48;

    private readonly long _most = most;
    private long _left = most;

    public void Take(long bytes)
    {
        _left -= bytes;
        if (_left < 0)
        {
            throw stream.Problem(
                $"the pickle describes more than {DiskSpace.Text(_most)} of objects beside its tensors",
                null,
                stream.Position,
                "Load the file in Python and save the state dict alone: torch.save(model.state_dict(), …).");
        }
    }
}
